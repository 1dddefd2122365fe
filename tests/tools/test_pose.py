"""The pose recipe of the toy world: train, test, draw, in two processes."""

import json
import re
from importlib.util import find_spec

import pytest

from .. import ROOT

pytestmark = pytest.mark.skipif(
    find_spec('mmpose') is None, reason='needs mmpose'
)
TOY = ROOT / 'configs/pose/topdown_uniformer_toy.py'
COCO_LINE = r'Average (?:Precision|Recall) .* = *-?\d\.\d{3}'
ONE_EPOCH = [
    '--cfg-options',
    'train_cfg.max_epochs=1',
    'train_cfg.val_interval=1',
    'train_dataloader.batch_size=1',
    'val_dataloader.batch_size=2',
    'test_dataloader.batch_size=2',
    'test_evaluator.keypoint_score_thr=0',  # so that there are scores
]


@pytest.fixture(scope='module')
def checkpoint(run_tool, toy_cwd, from_url):
    recipe = from_url(TOY, toy_cwd)
    done = run_tool('dist_train.sh', recipe, 2, *ONE_EPOCH, cwd=toy_cwd)
    assert done.returncode == 0, done.stderr[-3000:]
    return toy_cwd / 'work_dirs/topdown_uniformer_toy/epoch_1.pth'


@pytest.fixture(scope='module')
def tested(run_tool, toy_cwd, checkpoint):
    return run_tool(
        'test.py', TOY, checkpoint, '--show-dir', 'people', *ONE_EPOCH,
        cwd=toy_cwd,
    )  # fmt: skip


@pytest.fixture(scope='module')
def tested_by_two(run_tool, toy_cwd, checkpoint):
    return run_tool(
        'dist_test.sh', TOY, checkpoint, 2, '--show-dir', 'people_of_two',
        *ONE_EPOCH, cwd=toy_cwd,
    )  # fmt: skip


def test_weights_are_downloaded_once(checkpoint, weight_server):
    assert weight_server.gets.count(f'/{TOY.stem}.pth') == 1


def test_test_prints_the_ten_lines_of_coco(tested):
    assert len(re.findall(COCO_LINE, tested.stdout)) == 10, tested.stderr


def test_two_processes_give_the_metrics_of_one(tested, tested_by_two):
    lines = re.findall(COCO_LINE, tested_by_two.stdout)
    assert lines and lines == re.findall(COCO_LINE, tested.stdout)


def test_a_picture_for_every_image(tested, tested_by_two, toy_cwd):
    boxes = next((toy_cwd / 'data/coco/person_detection_results').iterdir())
    ids = {box['image_id'] for box in json.loads(boxes.read_text())}
    for folder in ('people', 'people_of_two'):
        pictures = [path.name for path in (toy_cwd / folder).iterdir()]
        assert sorted(pictures) == [f'{i:012d}.jpg' for i in sorted(ids)]
