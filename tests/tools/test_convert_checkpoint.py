"""The converter: one process per claim that needs one."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.weights import files, labels

from .. import ROOT
from ..golden import fill
from ..published_files import classifier, mask_rcnn

KEYS = [
    ('patch_embed1.proj.weight', (8, 3, 4, 4)),
    ('blocks1.0.attn.weight', (8, 1, 5, 5)),
    ('blocks1.0.mlp.fc1.weight', (32, 8, 1, 1)),
    ('norm.weight', (8,)),
    ('head.weight', (400, 8)),
    ('head.bias', (400,)),
]
STATE = {k: torch.from_numpy(fill.tensor(k, shape)) for k, shape in KEYS}


@pytest.fixture(scope='module')
def tool():
    """The tool as a module."""
    sys.path.insert(0, str(ROOT / 'tools'))
    path = ROOT / 'tools/convert_checkpoint.py'
    spec = spec_from_file_location('convert_checkpoint', path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(ROOT / 'tools'))
    return module


@pytest.fixture
def convert(tool, tmp_path, monkeypatch):
    """Converts a state dict and reads what comes out."""

    def run(state, *options, source='w.pth', target='out.pth'):
        if state is not None:
            torch.save({'model': state}, tmp_path / source)
        arguments = [tmp_path / source, tmp_path / target, *options]
        monkeypatch.setattr(sys, 'argv', ['tool', *map(str, arguments)])
        run.says = tool.convert(tool.parse_args())
        run.content = files.read(tmp_path / target)
        return files.unwrap(run.content)

    return run


def same(one, other):
    return list(one) == list(other) and all(
        torch.equal(one[name], other[name]) for name in one
    )


@pytest.mark.parametrize(
    'host, keys',
    [
        ('mmpretrain', classifier('xxs')),
        ('mmaction2', KEYS),
        ('mmdet', mask_rcnn()),
    ],
)
@pytest.mark.parametrize('between', ['a.pth', 'a.safetensors'])
def test_there_and_back(convert, host, keys, between):
    # Small stand-ins: of the shapes only that matters which `check_whole`
    # asks for, one number of a bias or of a norm for each row of its weight.
    state = {
        name: torch.rand(2, 3) if name.endswith('.weight') else torch.rand(2)
        for name, _ in keys
    }
    there = convert(state, '--to', host, target=between)
    assert any(name.startswith('backbone.') for name in there)
    back = convert(None, '--to', 'official', source=between)
    assert {k: v.tolist() for k, v in back.items()} == {
        k: v.tolist() for k, v in state.items()
    }


def test_order_survives_in_the_format_that_has_one(convert):
    convert(STATE, '--to', 'mmaction2', target='a.pth')
    assert same(convert(None, source='a.pth'), STATE)


def test_inflation(convert):
    done = convert(STATE, '--to', 'mmaction2', '--inflate', 'centre')
    weight = done['backbone.blocks1.0.attn.weight']
    assert weight.shape == (8, 1, 5, 5, 5)
    assert torch.equal(weight[:, :, 2], STATE['blocks1.0.attn.weight'])
    assert done['backbone.blocks1.0.mlp.fc1.weight'].ndim == 5
    assert 'inflated (centre)' in convert.says


def test_class_order(convert):
    done = convert(STATE, '--class-order', 'alphabetical')
    order = labels.alphabetical(400)
    assert torch.equal(done['head.bias'], STATE['head.bias'][order])


def test_classes_are_not_permuted_twice(convert):
    option = ('--class-order', 'alphabetical')
    convert(STATE, *option, target='a.pth')
    with pytest.raises(UserError, match='wanted a Kinetics file'):
        convert(None, *option, source='a.pth')


def test_classes_of_a_renamed_file_can_still_be_permuted(convert):
    convert(STATE, '--to', 'mmaction2', target='a.pth')
    done = convert(None, '--class-order', 'alphabetical', source='a.pth')
    order = labels.alphabetical(400)
    assert torch.equal(done['head.bias'], STATE['head.bias'][order])


def test_backbone_alone(convert):
    done = convert(STATE, '--drop-head')
    assert 'head.weight' not in done and len(done) == 4


def test_averaged_weights(convert, tmp_path):
    zero = {k: torch.zeros_like(v) for k, v in STATE.items()}
    content = {'model': zero, 'model_ema': STATE}
    torch.save(content, tmp_path / 'w.pth')
    assert same(convert(None, '--ema'), STATE)


def test_the_variant_goes_with_the_weights(convert):
    source = 'uniformer_small_plus_in1k.pth'
    convert(STATE, '--to', 'mmdet', source=source)
    assert files.read_note(convert.content)['head_dim'] == 32
    assert 'head_dim=32' in convert.says


def test_overwriting_on_request(convert):
    convert(STATE, target='w.pth', source='v.pth')
    assert same(
        convert(None, '--force', source='w.pth', target='w.pth'), STATE
    )


def test_one_line(run_tool, tmp_path):
    torch.save(STATE, tmp_path / 'w.pth')
    done = run_tool(
        'convert_checkpoint.py',
        'w.pth',
        'o.pth',
        '--to',
        'mmaction2',
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        'w.pth (class_order=authors) -> o.pth: 6 tensors, mmaction2 names\n'
    )
    assert not done.stderr


def test_nothing_is_overwritten(run_tool, tmp_path):
    torch.save(STATE, tmp_path / 'w.pth')
    done = run_tool('convert_checkpoint.py', 'w.pth', 'w.pth', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: 'w.pth': is there already; see --force\n"
    assert same(files.unwrap(files.read(tmp_path / 'w.pth')), STATE)


@pytest.mark.parametrize(
    'options, wanted',
    [
        (['--ema'], 'ema=True'),
        (['--class-order', 'alphabetical'], 'wanted a Kinetics file'),
    ],
)
def test_bad_input(convert, options, wanted):
    state = {'head.weight': torch.ones(174, 8)}
    with pytest.raises(UserError, match=wanted):
        convert(state, *options)
