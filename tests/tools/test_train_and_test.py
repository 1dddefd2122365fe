"""The whole path on a very small toy world: train, kill, resume, test."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from mmengine.config import Config

from mmuniformer.weights.download import cached_path

from .. import ROOT

pytestmark = pytest.mark.skipif(
    find_spec('mmdet') is None, reason='needs mmdet'
)
TOY = ROOT / 'configs/det/mask_rcnn_uniformer_toy.py'
COCO_LINE = r'Average (?:Precision|Recall) .* = -?\d\.\d{3}'
QUICK = [
    '--cfg-options',
    'train_cfg.max_epochs=3',
    'train_cfg.val_interval=3',
    'train_dataloader.batch_size=1',
    'default_hooks.logger.interval=1',
    'model.test_cfg.rcnn.score_thr=0',  # so that there are detections
]


@pytest.fixture(scope='module')
def resumed(toy_cwd, run_tool, from_url, weight_server):
    """Two processes, killed in the second epoch and started again.

    The second time, the weights to start from are nowhere.
    """
    recipe = from_url(TOY, toy_cwd)
    url = Config.fromfile(recipe).model.backbone.init_cfg.checkpoint
    command = [ROOT / 'tools/dist_train.sh', recipe, '2', *QUICK]
    first = subprocess.Popen(
        command,
        cwd=toy_cwd,
        env=dict(os.environ, PYTHON=sys.executable),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in first.stdout:
        if 'Epoch(train) [2][1/' in line:
            break
    first.kill()  # the launcher alone; its workers must not outlive it
    first.wait()
    weight_server.files.clear()
    cached_path(url).unlink()
    second = run_tool(
        'dist_train.sh', recipe, 2, '--resume', 'auto', *QUICK, cwd=toy_cwd
    )
    return second.stdout + second.stderr


@pytest.fixture(scope='module')
def checkpoint(resumed, toy_cwd):
    folder = toy_cwd / 'work_dirs/mask_rcnn_uniformer_toy'
    return Path((folder / 'last_checkpoint').read_text())


def test_killed_training_goes_on_from_its_last_checkpoint(resumed):
    assert re.search(r'resumed epoch: 1, iter: \d+', resumed)
    assert 'Epoch(train) [1]' not in resumed
    assert 'Epoch(train) [3]' in resumed


def test_weights_are_downloaded_once(resumed, weight_server):
    assert weight_server.gets.count(f'/{TOY.stem}.pth') == 1


def test_validation_ends_with_the_tables_of_coco(resumed):
    assert len(re.findall(COCO_LINE, resumed)) == 24


def test_validation_while_training_gives_the_numbers_of_a_test(
    resumed, tested
):
    lines = re.findall(COCO_LINE, resumed)
    assert lines == re.findall(COCO_LINE, tested.stdout)


@pytest.fixture(scope='module')
def tested(run_tool, toy_cwd, checkpoint):
    """Single-process test of the trained model, with pictures."""
    return run_tool(
        'test.py', TOY, checkpoint, '--show-dir', 'pictures',
        '--out', 'predictions.pkl', *QUICK, cwd=toy_cwd,
    )  # fmt: skip


def test_test_prints_the_twelve_lines_for_boxes_and_masks(tested):
    assert len(re.findall(COCO_LINE, tested.stdout)) == 24, tested.stderr


@pytest.fixture(scope='module')
def tested_by_two(run_tool, toy_cwd, checkpoint):
    """The same in two processes."""
    return run_tool(
        'dist_test.sh', TOY, checkpoint, 2,
        '--show-dir', 'pictures_of_two', *QUICK, cwd=toy_cwd,
    )  # fmt: skip


def test_two_processes_give_the_metrics_of_one(tested, tested_by_two):
    lines = re.findall(COCO_LINE, tested_by_two.stdout)
    assert lines and lines == re.findall(COCO_LINE, tested.stdout)


def test_a_picture_for_every_image(tested, tested_by_two, toy_cwd):
    for folder in ('pictures', 'pictures_of_two'):
        assert len(list((toy_cwd / folder).glob('*.jpg'))) == 4


def test_predictions_are_saved(tested, toy_cwd):
    assert (toy_cwd / 'predictions.pkl').stat().st_size > 0


def test_log_says_what_was_loaded(tested):
    assert re.search(r'loaded (\d+) of \1 tensors of MaskRCNN', tested.stdout)


def test_a_checkpoint_of_another_size_is_refused(
    run_tool, toy_cwd, checkpoint
):
    config = ROOT / 'configs/det/mask_rcnn_uniformer_s.py'
    done = run_tool('test.py', config, checkpoint, cwd=toy_cwd)
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: checkpoint') and 'differ in shape' in last


def test_the_host_runs_our_config_with_its_own_script(toy_cwd):
    script = Path(find_spec('mmdet').origin).parent / '.mim/tools/train.py'
    options = [*QUICK, 'train_cfg.max_epochs=1', 'train_cfg.val_interval=9']
    done = subprocess.run(
        [sys.executable, script, TOY, '--work-dir', 'host', *options],
        cwd=toy_cwd,
        capture_output=True,
        text=True,
    )
    assert (toy_cwd / 'host/epoch_1.pth').exists(), done.stderr[-3000:]
