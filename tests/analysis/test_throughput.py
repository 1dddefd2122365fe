"""tools/analysis/throughput.py: what it writes, not how fast anything is."""

import json
from pathlib import Path

import pytest
import torch

from mmuniformer.analysis import roofline, throughput
from mmuniformer.analysis.peers import Row
from mmuniformer.analysis.steps import Settings, make_step

ROOT = Path(__file__).resolve().parents[2]
QUICK = '--batch 1 --rounds 2 --seconds 0.001 --no-memory'.split()

PEER = """
from torch import nn
from mmuniformer import UniFormer

class Same(UniFormer):
    pass

class Other(nn.Conv2d):
    def __init__(self, arch):
        super().__init__(3, 8, 4, 4)

class Stubborn(Other):
    kernel = 4

    def compile(self, **options):
        self.kernel = None  # stands in for a model that cannot be compiled

    def forward(self, x):
        return nn.functional.unfold(super().forward(x), self.kernel)

class Wide(nn.Sequential):
    def __init__(self, arch):
        super().__init__(nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 1, 1))

class Needy(nn.Module):
    def __init__(self, teeth):
        super().__init__()
"""


@pytest.fixture(scope='module')
def tool():
    whole, roofline.MATRIX = roofline.MATRIX, dict(cpu=64)
    yield throughput
    roofline.MATRIX = whole


@pytest.fixture
def peer(tmp_path):
    path = tmp_path / 'peer.py'
    path.write_text(PEER)
    return str(path)


def measured(tool, *args):
    return tool.run(tool.parse_args([*QUICK, *args]))


@pytest.fixture(scope='module')
def results(tool):
    return measured(tool, '--arch', 'xxs@64', '--mode', 'inference', 'train')


def test_a_peer_that_cannot_be_compiled_is_left_out_and_said(tool, peer):
    name = f'{peer}:Stubborn'
    results = measured(tool, '--arch', 'xxs@64', '--best', '--peer', name)
    assert results['rows'][-1]['name'] == name
    [line] = results['left_out']
    assert f'{name} at its best' in line
    assert line in throughput.report.markdown(results)


def test_half_rows_train_under_autocast():
    settings = Settings(1, torch.float32, 'cpu', 1, 1, 0.1)
    backbone = dict(type='mmuniformer.UniFormerLight', arch='xxs', ndim=2)
    outs = [
        make_step(Row('xxs', kind, backbone, (64, 64)), settings, 'train')()
        for kind in ('eager', 'half')
    ]
    difference = (outs[1][0] - outs[0][0]).norm() / outs[0][0].norm()
    assert 0 < difference < 0.5


def test_rows_of_both_modes(results):
    assert [(row['mode'], row['name']) for row in results['rows']] == [
        ('inference', 'xxs@64 plain'),
        ('inference', 'xxs@64 ours eager'),
        ('inference', 'xxs@64 ours fused'),
        ('train', 'xxs@64 plain'),
        ('train', 'xxs@64 ours eager'),
    ]


def test_rows_take_turns(results):
    names = ['xxs@64 plain', 'xxs@64 ours eager', 'xxs@64 ours fused']
    turns = [name for _, name in results['turns'][:6]]
    assert sorted(turns[:3]) == sorted(turns[3:]) == sorted(names)
    assert turns[:3] != turns[3:]  # each round starts with another row


def test_numbers_are_consistent(results):
    plain, eager = results['rows'][:2]
    assert plain['ratio'] == 1
    ratios = [a / b for a, b in zip(eager['rates'], plain['rates'])]
    assert eager['ratio'] == pytest.approx(sum(ratios) / 2)
    rate = sum(eager['rates']) / 2
    assert eager['per_second'] == pytest.approx(rate)
    share = 2 * eager['flops'] * rate / results['peak_flops']
    assert eager['matmul_share'] == pytest.approx(share)
    train = results['rows'][3]
    share = 6 * train['flops'] * train['per_second'] / results['peak_flops']
    assert train['matmul_share'] == pytest.approx(share)


def test_outputs_agree(results):
    assert all((row['difference'] or 0) < 1e-12 for row in results['rows'])
    assert results['rows'][1]['difference'] is not None


def test_files_and_table(tool, tmp_path, capsys):
    files = [str(tmp_path / name) for name in ('a.json', 'a.png')]
    args = ['--arch', 'xxs@128', '--ours', 'fused', '--peer']
    tool.main([*QUICK, *args, '--json', files[0], '--plot', files[1]])
    row = json.loads(Path(files[0]).read_text())['rows'][0]
    assert row['top1'] == 76.8
    assert f'{row["per_second"]:.4g} |' in capsys.readouterr().out
    assert Path(files[1]).read_bytes().startswith(b'\x89PNG')


def test_work_of_a_product(tool):
    linear = torch.nn.Conv2d(3, 8, 4, 4, bias=False)
    flops, elements = tool.work(linear, (8, 8), 2)
    assert flops == 2 * 2 * 8 * 3 * 16
    assert elements == 2 * 3 * 64 + 8 * 3 * 16 + 2 * 8 * 4


def test_fused_attention_stores_no_matrix(tool):
    class Net(torch.nn.Module):
        def forward(self, x):
            x = x.flatten(2).transpose(1, 2)
            return torch.nn.functional.scaled_dot_product_attention(x, x, x)

    assert tool.work(Net(), (8, 8), 1)[1] == 4 * 3 * 64


def test_memory_of_a_step(tool, peer):
    """64 maps are held, and up to as much again."""
    args = f'--arch s@32 --ours eager --peer {peer}:Wide@512 --rounds 1'
    args = f'{args} --seconds 0.001 --batch 1 --threads 1'
    rows = tool.run(tool.parse_args(args.split()))['rows']
    size = rows[-1]['memory']
    if size is None:
        pytest.skip('no /proc')
    assert 0.9 < size / (4 * 64 * 512**2) < 2.1


def test_command_line_measures_memory_apart(run_tool, tmp_path):
    out = run_tool(
        'analysis/throughput.py', *QUICK[:-1], '--arch', 'xxs@32', '--peer',
        '--ours', 'eager', '--json', 'a.json', cwd=tmp_path,
    )  # fmt: skip
    assert '| xxs@32 ours eager | 32x32 |' in out.stdout, out.stderr
    row = json.loads((tmp_path / 'a.json').read_text())['rows'][0]
    assert row['memory'] is None or row['memory'] >= 0


def test_peers(tool, peer):
    args = ['--arch', 's@32', '--ours', 'eager', '--peer']
    rows = measured(
        tool, *args, f'{peer}:Same', f'{peer}:Other', 'timm:resnet10t@32'
    )['rows']
    assert [row['subject'].rpartition(':')[2] for row in rows] == [
        's@32', 'Same', 'Other', 'resnet10t@32'
    ]  # fmt: skip
    assert rows[1]['difference'] == 0  # the same weights
    assert rows[2]['difference'] is None


def test_video_beside_mmaction(tool):
    args = '--arch s@2x32x32 --ndim 3 --ours eager --peer mmaction'.split()
    theirs, ours = measured(tool, *args)['rows']
    assert theirs['difference'] < 1e-4
    assert ours['difference'] is None  # the reference


def test_config(tool):
    args = ['--peer', '--ours', 'eager', '--config']
    path = ROOT / 'configs/det/mask_rcnn_uniformer_xxs.py'
    row = measured(tool, *args, str(path), '--shape', '32', '32')['rows'][0]
    assert row['name'] == 'mask_rcnn_uniformer_xxs ours eager'
    assert row['top1'] is None


@pytest.mark.parametrize(
    'arch, shape, top1, views',
    [
        ('s', (224, 224), 82.9, 1),
        ('l', (384, 384), 86.3, 1),
        ('s', (224, 256), None, 1),
        ('b', (32, 224, 224), 82.9, 4),
        ('xs', (32, 192, 192), 78.6, 1),
    ],
)
def test_published(tool, arch, shape, top1, views):
    from mmuniformer.analysis.scores import of_arch

    found = of_arch(arch, shape)
    assert (found.top1, found.views) == (top1, views)


@pytest.mark.parametrize(
    'name, shape, top1',
    [
        ('mmpretrain:mobilevit-small', (256, 256), 78.25),
        ('mmaction:x3d_s_13x6x1', (13, 182, 182), 73.3),
        ('torchvision:resnet18', (224, 224), 69.758),
        ('timm:pvt_v2_b1', (224, 224), 78.698),
        ('timm:efficientnet_b1', (240, 240), 80.404),
        ('timm:resnet18', (224, 224), None),
    ],
)
def test_published_of_peers(tool, name, shape, top1):
    from mmuniformer.analysis.peers import find_peer

    found = find_peer(name)
    assert (found.shape, found.top1) == (shape, top1)


@pytest.mark.parametrize(
    'args, message',
    [
        ('--mode train', 'wanted at least one'),
        ('--arch q', "--arch='q': wanted one of s"),
        ('--arch s --shape 16 16', '--shape='),
        ('--arch s@abc', 'wanted NAME@HxW'),
        ('--arch s --ndim 3 --shape 64 64', 'wanted T H W'),
        ('--arch s s', 'same row twice'),
        ('--arch s --rounds 0', '--rounds=0'),
        ('--arch s --device tpu', '--device='),
        ('--arch s --device cuda:99', 'sees'),
        ('--arch s --json /nowhere/a.json', 'no such folder'),
        ('--arch s --plot a.png --mode train', '--plot='),
        ('--arch s --baseline x', '--baseline='),
        ('--arch xxs --attention window', 'attention='),
        ('--config nowhere.py', 'no such file'),
        ('--arch s --peer mmaction', '--ndim 3'),
        ('--arch s --peer x', '--peer='),
        ('--arch s --peer nowhere.py:X', 'no such file'),
        ('--arch s --peer timm:nothing', 'timm has no such'),
        ('--arch s --peer torchvision:nothing', 'torchvision has no such'),
        ('--arch s --peer mmpretrain:efficientnet-b0', 'aa_in1k'),
        ('--arch s --peer mmaction:nothing', 'none of its'),
    ],
)
def test_bad_input(tool, args, message):
    with pytest.raises(tool.UserError, match=message):
        measured(tool, *args.split())


@pytest.mark.parametrize(
    'name, message', [('None', 'has no class'), ('Needy', "'teeth'")]
)
def test_bad_peer(tool, peer, name, message):
    with pytest.raises(tool.UserError, match=message):
        measured(tool, '--arch', 's', '--peer', f'{peer}:{name}')
