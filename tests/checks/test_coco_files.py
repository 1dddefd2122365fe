"""Annotations and boxes that do not fit are named before any long work."""

import json
from pathlib import Path

import pytest

from mmuniformer.checks.coco_files import check_annotations, check_boxes
from mmuniformer.errors import UserError

PATH = Path('train.json')


def content(**ann):
    return dict(
        images=[dict(id=7)],
        categories=[dict(id=1, name='person'), dict(id=3, name='bolt')],
        annotations=[dict(id=5, image_id=7, category_id=1, **ann)],
    )


def test_good_annotations_pass():
    check_annotations(PATH, content(), ['person', 'bolt', 'nut'])
    check_annotations(PATH, content(keypoints=[0] * 51), joints=17)


def test_an_annotation_of_no_class():
    bad = content()
    bad['annotations'][0]['category_id'] = 99
    with pytest.raises(
        UserError, match=r'annotation 5: category_id=99.*2 ids'
    ):
        check_annotations(PATH, bad)


def test_an_annotation_of_no_picture():
    bad = content()
    bad['annotations'][0]['image_id'] = 8
    with pytest.raises(UserError, match='annotation 5: image_id=8'):
        check_annotations(PATH, bad)


def test_another_number_of_joints():
    with pytest.raises(UserError, match='54 numbers in keypoints, wanted 51'):
        check_annotations(PATH, content(keypoints=[0] * 54), joints=17)


def test_classes_that_the_data_set_does_not_have():
    wanted = "1 of its 2 classes, such as 'bolt'.*metainfo.*num_classes.* 2"
    with pytest.raises(UserError, match=wanted):
        check_annotations(PATH, content(), ['person', 'car'])


def test_a_subset_may_be_meant():
    check_annotations(PATH, content(), ['person'], subset=True)
    with pytest.raises(UserError, match='2 of its 2 classes'):
        check_annotations(PATH, content(), ['car'], subset=True)


BOX = dict(image_id=7, category_id=1, bbox=[0, 0, 1, 1], score=0.5)


def boxes(folder, value):
    path = folder / 'boxes.json'
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_good_boxes_pass(tmp_path):
    check_boxes(boxes(tmp_path, [BOX]), 'val', content())
    check_boxes(boxes(tmp_path, [dict(BOX, image_id=8)]), 'val', None)


def test_no_boxes_says_where_to_get_them(tmp_path):
    wanted = r'test data.*none\.json.*github\.com/HRNet.*make_toyworld'
    with pytest.raises(UserError, match=wanted):
        check_boxes(tmp_path / 'none.json', 'test', content())


@pytest.mark.parametrize(
    'value, wanted',
    [
        ('[{"image', 'broken'),
        ({'boxes': []}, 'wanted a list of boxes'),
        ([dict(image_id=7)], 'wanted a list of boxes'),
        ([dict(BOX, image_id=8)], r'1 of 1 boxes.*\[8\]'),
        ([], '0 of 0 boxes'),
    ],
)
def test_wrong_boxes(tmp_path, value, wanted):
    with pytest.raises(UserError, match=wanted):
        check_boxes(boxes(tmp_path, value), 'val', content())
