"""Annotations and boxes that do not fit are named before any long work."""

import json
import math
import os

import pytest

from mmuniformer.checks import checked, coco_files
from mmuniformer.checks.coco_fields import Wanted
from mmuniformer.checks.findings import Findings

from .common import picture, whole


def lines(content, error=True, **wanted):
    """What is found in the content of a file."""
    wanted = Wanted(**wanted)
    found = Findings()
    coco_files.check_content('a.json', content, wanted, found)
    return [one.line() for one in found if one.error is error]


def with_object(**fields):
    """A good file but for its fourth object."""
    content = whole(joints=5)
    content['annotations'][3].update(fields)
    return content


def test_good_annotations_pass():
    assert not lines(whole(), classes=['cat', 'dog'])
    assert not lines(whole(), error=False, classes=['cat', 'dog'], masks=True)
    assert not lines(whole(joints=5), joints=5)


NAN = math.nan
WRONG = {
    'category_id': [99, None, 'cat', [1]],
    'image_id': [8, None, [1]],
    'id': [2, None],
    'bbox': [
        None, [], [1, 2, 3], [1, 2, 3, NAN], [1, 2, math.inf, 4],
        ['1', 2, 3, 4], 'box', dict(x=1), [1, 2, -3, 4], [[1, 2, 3, 4]],
    ],
    'area': ['40', NAN, -1, math.inf, [4]],
    'iscrowd': ['yes', 2, NAN],
    'segmentation': [
        [1, 2, 3, 4, 5, 6], [[1, 2, 3, 4, 5, None]], [[1, 2, 3, 4, 5, NAN]],
        [[1, 2, 3, 4, 5, math.inf]], [[1, 2, '3', 4, 5, 6]], 'rle', 7,
        [[1, 2, 3, 4, 5, 1e9]], [[1]], dict(size=[48, 32], counts='abc'),
        dict(size=[32, 48], counts=[1, 2]), dict(size=[32, 48]),
    ],
    'keypoints': [
        [1, 2, 2], [1, 2, NAN] * 5, [1, None, 2] * 5, 'x', [1, 2, -1] * 5,
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    'field, value', [(k, v) for k, values in WRONG.items() for v in values]
)
def test_a_field_that_is_wrong_is_named(field, value):
    joints = 5 if field == 'keypoints' else None
    got = lines(with_object(**{field: value}), joints=joints)
    assert len(got) == 1 and 'annotation ' in got[0], got
    assert field.split('_')[0] in got[0] or 'visibility' in got[0], got
    assert ('a.json' in got[0] and 'wanted' in got[0]) or 'is not in' in got[0]


@pytest.mark.parametrize(
    'fields',
    [
        dict(area=None, iscrowd=None, segmentation=None),
        dict(iscrowd=1, segmentation=dict(size=[32, 48], counts='abc')),
        dict(iscrowd=1, segmentation=dict(size=[32, 48], counts=[1536])),
        dict(iscrowd=True, area=1.5, bbox=[1.5, 2, 3.25, 4]),
        dict(segmentation=[]),
    ],
)
def test_what_is_optional_or_of_another_form_passes(fields):
    assert not lines(with_object(**fields))


def test_missing_optional_fields_pass():
    content = whole()
    del content['info']
    for one in content['annotations']:
        del one['area'], one['iscrowd'], one['segmentation']
    assert not lines(content)


@pytest.mark.parametrize(
    'fields, wanted',
    [
        (dict(bbox=[60, 2, 3, 4]), 'no area in the picture'),
        (dict(bbox=[1, 2, 0.5, 4]), 'less than a pixel'),
        (dict(bbox=[20, 2, 40, 4]), 'ends outside'),
        (dict(area=0), 'left out'),
        (dict(segmentation=[[1, 2, 3, 4]]), 'three points'),
    ],
)
def test_what_hosts_leave_out_is_counted(fields, wanted):
    got = lines(with_object(**fields), error=False)
    assert len(got) == 1 and wanted in got[0], got


@pytest.mark.parametrize(
    'fields',
    [
        dict(width=None),
        dict(height='32'),
        dict(width=0),
        dict(width=NAN),
        dict(file_name=None),
        dict(file_name=''),
        dict(id=1),
        dict(id=None),
    ],
)
def test_a_wrong_picture_is_named(fields):
    content = whole()
    content['images'][2].update(fields)
    content['annotations'] = content['annotations'][:2]
    got = lines(content)
    assert len(got) == 1 and 'image' in got[0], got


def test_many_of_a_kind_are_one_line():
    content = whole()
    for one in content['annotations']:
        one['bbox'] = None
    assert '(7 more like it)' in lines(content)[0]


def test_without_annotations_there_is_nothing_to_measure():
    content = whole()
    del content['annotations']
    assert "no 'annotations'" in lines(content)[0]
    assert 'format_only' in lines(content)[0]
    assert not lines(content, annotated=False)


@pytest.mark.parametrize('content', [[], 3, dict(images=[]), None])
def test_another_form_of_file(content):
    assert 'wanted COCO annotations' in lines(content)[0]


def test_nothing_is_left():
    content = whole()
    for one in content['annotations']:
        one['bbox'] = [0.1, 0.1, 0.2, 0.3]  # parts of the picture
    assert 'none of 8 objects is left' in lines(content)[0]
    got = lines(whole(), filter_empty=True, min_size=64)
    assert 'no picture is left' in got[0]
    empty = whole(joints=5)
    for one in empty['annotations']:
        one['num_keypoints'] = 0
    assert 'no object with key points' in lines(empty, joints=5)[0]


def test_a_misspelt_class_is_named():
    got = lines(whole(('cat', 'dog', 'owl')), classes=['cat', 'dgo', 'owl'],
                subset=True)  # fmt: skip
    assert "'dgo'" in got[0] and "has 'dog'; was it meant?" in got[0]


def test_classes_that_the_data_set_does_not_have():
    got = lines(whole(('cat', 'bolt')), classes=['cat', 'car'])
    assert "1 of its 2 classes, such as 'bolt'" in got[0]
    assert 'metainfo' in got[0] and 'num_classes of the heads to 2' in got[0]


def test_a_subset_may_be_meant():
    assert not lines(whole(), classes=['cat'], subset=True)
    got = lines(whole(), classes=['car'], subset=True)
    assert '2 of its 2 classes' in got[0]


def test_categories_without_objects_may_be_others():
    content = whole(('cat', 'dog', 'animals'))
    assert not lines(content, classes=['cat', 'dog'])


def test_categories_given_twice():
    content = whole()
    content['categories'].append(dict(id=7, name='dog'))
    got = lines(content, classes=['cat', 'dog'])
    assert "two categories are called 'dog'" in got[0]


def test_another_order_than_the_classes():
    got = lines(whole(), error=False, classes=['dog', 'cat'])
    assert 'another order' in got[0]


def sizes(path, size):
    found = Findings()
    coco_files.check_header(str(path), size, found)
    return [one.line() for one in found]


def test_size_of_the_picture_itself(tmp_path):
    path = picture(tmp_path / 'a.jpg')
    assert not sizes(path, (48, 32))
    assert 'is 48 x 32, but' in sizes(path, (32, 48))[0]
    path.write_bytes(b'no picture')
    assert 'cannot be read' in sizes(path, (48, 32))[0]


def test_size_of_a_turned_picture(tmp_path):
    from PIL import Image

    image = Image.new('RGB', (48, 32))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / 'a.jpg', exif=exif)
    assert not sizes(tmp_path / 'a.jpg', (32, 48))
    assert 'EXIF' in sizes(tmp_path / 'a.jpg', (48, 32))[0]
    found = Findings()
    path = str(tmp_path / 'a.jpg')
    coco_files.check_header(path, (48, 32), found, turns=False)
    assert not len(found)


BOX = dict(image_id=1, category_id=1, bbox=[0, 0, 1, 1], score=0.5)


def boxes(folder, value):
    path = folder / 'boxes.json'
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    found = Findings()
    coco_files.check_boxes(str(path), {1, 2}, found)
    return ' '.join(one.line() for one in found)


def test_good_boxes_pass(tmp_path):
    assert not boxes(tmp_path, [BOX])


def test_no_boxes_says_where_to_get_them(tmp_path):
    found = Findings('test data')
    coco_files.check_boxes(os.path.join(tmp_path, 'none.json'), (), found)
    line = next(iter(found)).line()
    assert line.startswith('test data') and 'none.json' in line
    assert 'github.com/HRNet' in line and 'make_toyworld' in line


@pytest.mark.parametrize(
    'value, wanted',
    [
        ('[{"image', 'broken'),
        ({'boxes': []}, 'wanted a list of boxes'),
        ([dict(image_id=7)], 'wanted a list of boxes'),
        ([dict(BOX, image_id=8)], '1 of 1 boxes'),
        ([], '0 of 0 boxes'),
        ([dict(BOX, bbox=[0, 0, 1, None])], 'bbox='),
        ([dict(BOX, score=NAN)], 'score='),
    ],
)
def test_wrong_boxes(tmp_path, value, wanted):
    assert wanted in boxes(tmp_path, value)


def test_a_large_file_is_checked_once(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(checked, 'LARGE_BYTES', 0)
    content = whole()
    content['annotations'][0]['area'] = 0
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    wanted = Wanted(classes=['cat', 'dog'])

    def again(wanted):
        found = Findings('train data')
        return checked.recall(str(path), wanted, found), found

    assert again(wanted)[0] is None
    first = Findings('train data')
    contents = coco_files.check_file(str(path), wanted, first)
    checked.remember(str(path), wanted, contents, first)
    known, found = again(wanted)
    assert known == contents._replace(boxes=[])
    assert [one.line() for one in found] == [one.line() for one in first]
    assert len(found) == 1
    assert again(Wanted(classes=['cat']))[0] is None
    path.write_text(path.read_text() + ' ')
    assert again(wanted)[0] is None


def test_a_file_with_errors_is_not_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(checked, 'LARGE_BYTES', 0)
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(with_object(area='x')))
    found = Findings()
    contents = coco_files.check_file(str(path), Wanted(), found)
    checked.remember(str(path), Wanted(), contents, found)
    assert not (tmp_path / 'cache').exists()
