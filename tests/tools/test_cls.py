"""Recipes of classification, only smaller: train, test, label, go on."""

import pickle
import re
from importlib.util import find_spec

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from mmuniformer.toyworld import World, write_world
from mmuniformer.weights import files

from .. import ROOT

if not (find_spec('mmpretrain') and find_spec('timm')):
    pytest.skip('needs mmpretrain and timm', allow_module_level=True)
from ..hosts import test_mmpretrain as reduced

NAME = 'uniformer_s'
CONFIG = f'{NAME}.py'
SCORES = re.compile(r'accuracy/top1: \S+ +accuracy/top5: \S+')


def write_config(folder, name, pretrained=None):
    """A recipe on a small network, for one epoch of small steps."""
    init_default_scope('mmpretrain')
    cfg = Config.fromfile(ROOT / f'configs/cls/{name}.py')
    reduced.shrink(cfg)
    reduced.folder(cfg, folder / 'data')
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.val_dataloader = cfg.test_dataloader
    cfg.train_cfg.max_epochs = 1
    cfg.default_hooks.logger.interval = 1
    if cfg.default_hooks.get('ema'):
        cfg.default_hooks.ema.momentum = 0.5
    if pretrained:
        backbone = cfg.model.backbone
        backbone.init_cfg = pretrained(backbone, name)
    cfg.dump(folder / f'{name}.py')
    return cfg


@pytest.fixture(scope='module')
def folder(tmp_path_factory, pretrained):
    """Data, with an odd number of pictures, and the config."""
    folder = tmp_path_factory.mktemp('cls')
    world = World(size=96, images_train=9, images_val=9)
    write_world(folder / 'data', world, layouts=['imagenet'])
    write_config(folder, NAME, pretrained)
    return folder


@pytest.fixture(scope='module')
def in_two(folder, run_tool):
    """Runs a script that starts processes."""

    def run(*command):
        done = run_tool(*command, cwd=folder)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope='module')
def trained(in_two):
    return in_two('dist_train.sh', CONFIG, 2)


@pytest.fixture(scope='module')
def checkpoint(folder, trained):
    return folder / f'work_dirs/{NAME}/epoch_1.pth'


@pytest.fixture(scope='module')
def test(folder, run_tool, checkpoint):
    """Tests in one process: what it says and its predictions."""

    def run(*options):
        done = run_tool(
            'test.py', CONFIG, checkpoint, '--out', 'one.pkl', *options,
            cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout, predictions(folder / 'one.pkl')

    return run


@pytest.fixture(scope='module')
def tested(test):
    return test()


def predictions(path):
    return pickle.loads(path.read_bytes())


def scores(found):
    return torch.stack([sample['pred_score'] for sample in found])


def test_weights_are_downloaded_once(trained, weight_server):
    assert weight_server.gets.count(f'/{NAME}.pth') == 1
    assert re.search(r'loaded (\d+) of \1 tensors of UniFormer', trained)


def test_every_process_has_a_third_of_what_is_repeated(trained):
    """Nine pictures thrice are five steps of two in each of two processes.

    Of these an epoch takes a third, without the last half batch.
    """
    assert re.findall(r'Epoch\(train\) +\[1\]\[(\d/\d)\]', trained) == [
        '1/2',
        '2/2',
    ]


def test_two_processes_give_the_metrics_of_one(
    folder, in_two, checkpoint, tested
):
    out = in_two('dist_test.sh', CONFIG, checkpoint, 2, '--out', 'two.pkl')
    lines, found = SCORES.findall(out), predictions(folder / 'two.pkl')
    assert len(lines) == 1 and lines == SCORES.findall(tested[0])
    assert len(found) == 9
    torch.testing.assert_close(scores(found), scores(tested[1]))


def test_validation_while_training_gives_the_numbers_of_a_test(
    trained, tested
):
    assert SCORES.findall(trained) == SCORES.findall(tested[0])


def test_raw_weights_on_request(test, tested):
    out, found = test('--raw-weights')
    assert 'raw weights, not averaged' in out
    assert not torch.equal(scores(found), scores(tested[1]))


def test_labels_of_two_processes_are_those_of_one(
    folder, run_tool, checkpoint
):
    """And what was interrupted is completed."""
    tool = 'make_token_labels.py'
    command = CONFIG, checkpoint, 'maps', '--size', 96, '--workers', 0
    done = run_tool(tool, *command, cwd=folder)
    assert done.returncode == 0, done.stderr
    made = {path: torch.load(path) for path in maps(folder)}
    assert len(made) == 9
    for path in list(made)[:5]:
        path.unlink()
    done = run_tool(tool, *command, cwd=folder, processes=2)
    assert '5 maps made, 9 in all' in done.stdout, done.stderr[-3000:]
    assert maps(folder) == list(made)
    for path, label in made.items():
        torch.testing.assert_close(torch.load(path), label)


def maps(folder):
    """Every label map, and parts of some, if there were any."""
    return sorted(path for path in folder.glob('maps/*/*'))


def test_384_pixels_start_from_the_raw_weights_of_224(folder, run_tool):
    """Heads included; without a learning rate nothing else changes them."""
    name = 'uniformer_s_tl_384'
    cfg = write_config(folder, name)
    raw = MODELS.build(cfg.model).state_dict()
    averaged = {k: torch.zeros_like(v) for k, v in raw.items()}
    start = folder / cfg.load_from
    assert start.match('work_dirs/uniformer_s_tl/epoch_310.pth')
    start.parent.mkdir(parents=True)
    swapped = {f'module.{k}': v for k, v in raw.items()}
    content = dict(state_dict=averaged, ema_state_dict=swapped)
    torch.save(content, start)
    done = run_tool(
        'train.py', f'{name}.py',
        '--cfg-options', 'optim_wrapper.optimizer.lr=0', cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r'epoch_310\.pth: loaded (\d+) of \1 t', done.stdout)
    trained = folder / f'work_dirs/{name}/epoch_1.pth'
    state = files.unwrap(torch.load(trained, weights_only=False))
    assert 'head.aux_fc.weight' in state
    for key, value in state.items():
        if not re.search('running_|num_batches', key):
            assert torch.equal(value, raw[key]), key


def test_a_start_that_was_not_trained_yet(folder, run_tool, tmp_path):
    write_config(folder, 'uniformer_b_tl_384')
    (tmp_path / 'data').symlink_to(folder / 'data')
    config = folder / 'uniformer_b_tl_384.py'
    done = run_tool('train.py', config, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "error: checkpoint='work_dirs/uniformer_b_tl/epoch_310.pth': no such "
        'file; the config starts from these weights'
    )
