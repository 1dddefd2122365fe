"""Video from files to numbers: train, test in one and in two processes."""

import pickle
import re
from importlib.util import find_spec

import pytest
import torch

from mmuniformer.toyworld import World, write_world

from .. import ROOT

if not (find_spec('mmaction') and find_spec('decord')):
    pytest.skip('needs mmaction2 and decord', allow_module_level=True)

CONFIG = ROOT / 'configs/video/uniformer_toy.py'
SCORES = re.compile(r'acc/top1: \S+ +acc/top5: \S+ +acc/mean1: \S+')
# Four clips of each of nine videos: one process has a video more.
VIEWS = (
    '--cfg-options',
    'test_dataloader.batch_size=1',
    'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False',
    'test_dataloader.dataset.pipeline.1.num_clips=4',
)


@pytest.fixture(scope='module', autouse=True)
def one_library():
    """Processes that each measure which product is faster may choose two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('MMUNIFORMER_PRODUCTS', 'blas')
        yield


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('video')
    world = World(images_train=8, images_val=9)
    write_world(folder / 'data', world, layouts=['kinetics'])
    return folder


@pytest.fixture(scope='module')
def checkpoint(folder, run_tool, from_url):
    done = run_tool(
        'dist_train.sh', from_url(CONFIG, folder), 3,
        '--cfg-options', 'train_cfg.max_epochs=1',
        'train_cfg.val_interval=2', 'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False', cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / 'work_dirs/uniformer_toy/epoch_1.pth'


def test_three_processes_download_weights_once(checkpoint, weight_server):
    assert weight_server.gets.count(f'/{CONFIG.stem}.pth') == 1


@pytest.fixture(scope='module')
def in_one(folder, run_tool, checkpoint):
    """What a test in one process says, and its predictions."""

    def run(*options):
        done = run_tool(
            'test.py', CONFIG, checkpoint, '--out', 'one.pkl', *options,
            *VIEWS, cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout, predictions(folder / 'one.pkl')

    return run


@pytest.fixture(scope='module')
def tested(in_one):
    return in_one()


def predictions(path):
    found = pickle.loads(path.read_bytes())
    return torch.stack([sample['pred_score'] for sample in found])


def test_two_processes_give_the_numbers_of_one(
    folder, run_tool, checkpoint, tested
):
    """To the last digit, metrics and scores."""
    done = run_tool(
        'dist_test.sh', CONFIG, checkpoint, 2, '--out', 'two.pkl',
        '--show-dir', 'pictures', *VIEWS, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = SCORES.findall(done.stdout)
    assert len(lines) == 1 and lines == SCORES.findall(tested[0])
    found = predictions(folder / 'two.pkl')
    assert len(found) == 9
    assert torch.equal(found, tested[1])
    # And a picture of each clip, though the views make inputs of five axes.
    names = [path.name for path in (folder / 'pictures').iterdir()]
    assert sorted(names) == [f'{i:06d}_{i + 1:08d}.jpg' for i in range(9)]


def test_fused_gives_the_same_numbers(in_one, tested):
    out, found = in_one('--fuse')
    assert SCORES.findall(out) == SCORES.findall(tested[0])
    torch.testing.assert_close(found, tested[1])
    assert not torch.equal(found, tested[1])  # it did something
