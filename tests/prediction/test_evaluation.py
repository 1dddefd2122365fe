"""What tools/analysis/evaluate.py says of a dumped test."""

from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from mmuniformer.analysis import box_errors, charts, evaluation
from mmuniformer.errors import UserError

HOSTS = ('mmdet', 'mmseg', 'mmpose', 'mmpretrain', 'mmaction')
if not all(map(find_spec, HOSTS)):
    pytest.skip(f'needs {", ".join(HOSTS)}', allow_module_level=True)
KEYS = {
    'cls': 'accuracy/top1',
    'det': 'coco/segm_mAP',
    'seg': 'mIoU',
    'pose': 'coco/AP',
    'video': 'acc/top1',
}


@pytest.fixture
def report(tested):
    def evaluate(task):
        scores, samples, cfg = tested(task)
        return scores, samples, evaluation.evaluate(cfg, samples)

    return evaluate


@pytest.mark.parametrize('task', KEYS)
def test_scores_are_those_of_the_test(report, task, tmp_path):
    scores, _, found = report(task)
    assert found.scores[KEYS[task]] == scores[KEYS[task]]
    for name, draw in found.charts.items():
        draw(str(tmp_path / name))
        assert cv2.imread(str(tmp_path / name)) is not None
    assert all(rows for rows in found.tables.values())


def test_classes_of_pixels_give_the_mean_iou(report):
    scores, _, found = report('seg')
    rows = found.tables['Classes']
    known = [100 * row['iou'] for row in rows if row['iou'] is not None]
    assert np.mean(known) == pytest.approx(scores['mIoU'], abs=0.006)


def test_classes_of_pictures_give_the_top_1(report):
    scores, samples, found = report('cls')
    rows = found.tables['Classes']
    right = sum(row['count'] * (row['accuracy'] or 0) for row in rows)
    assert 100 * right / len(samples) == scores['accuracy/top1']
    assert len(found.worst) == len(samples) - right


def test_classes_of_boxes_give_the_ap(report):
    scores, _, found = report('det')
    rows = found.tables['Classes']
    known = [row['AP'] for row in rows if row['AP'] is not None]
    assert round(float(np.mean(known)), 3) == scores['coco/bbox_mAP']


THING = dict(category_id=1, bbox=[10, 10, 20, 20])


@pytest.mark.parametrize(
    'box, kind',
    [
        (dict(category_id=1, bbox=[10, 10, 20, 20]), 'right'),
        (dict(category_id=2, bbox=[10, 10, 20, 20]), 'class'),
        (dict(category_id=1, bbox=[20, 10, 20, 20]), 'place'),
        (dict(category_id=2, bbox=[20, 10, 20, 20]), 'both'),
        (dict(category_id=1, bbox=[60, 60, 20, 20]), 'background'),
    ],
)
def test_kinds_of_mistakes(box, kind):
    kinds, hit = box_errors.compare([THING], [dict(box, score=0.9)])
    assert kinds == {kind: 1}
    assert hit == [kind == 'right']


def test_a_thing_that_is_found_twice():
    boxes = [dict(THING, score=0.9), dict(THING, score=0.8)]
    kinds, hit = box_errors.compare([THING], boxes)
    assert kinds == {'right': 1, 'twice': 1} and hit == [True]


def test_a_dump_of_another_task(tested):
    _, samples, _ = tested('cls')
    _, _, cfg = tested('seg')
    with pytest.raises(UserError, match='the config is of mmseg'):
        evaluation.evaluate(cfg, samples)


def test_what_is_no_dump(tmp_path):
    file = tmp_path / 'no.pkl'
    file.write_bytes(b'no pickle')
    with pytest.raises(UserError, match='RESULTS='):
        evaluation.load(str(file))


def test_pictures_of_any_shape_on_a_sheet():
    pictures = [np.zeros((50, 10, 3), np.uint8)] * 7
    sheet = charts.tile(pictures, ['a'] * 7, columns=3, size=(100, 80))
    assert sheet.shape == (3 * 98, 3 * 106, 3)
