"""The COCO key point layout and its detector boxes."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from mmuniformer.toyworld import (
    JOINTS,
    LAYOUTS,
    Shot,
    World,
    annotate_people,
    write_world,
)

WORLD = World(size=200, images_train=1, images_val=60, seed=23)
_, VAL, BOXES = LAYOUTS['keypoints'].files


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp('toyworld')
    assert write_world(out, WORLD, ['coco', 'keypoints'])
    return out / 'coco'


@pytest.fixture(scope='module')
def coco(root):
    return COCO(root / VAL)


@pytest.fixture(scope='module')
def people(coco):
    """Annotation, mask and joints of all who are not of a crowd."""
    return [
        (ann, coco.annToMask(ann) > 0, np.reshape(ann['keypoints'], (17, 3)))
        for ann in coco.anns.values()
        if not ann['iscrowd']
    ]


@pytest.fixture(scope='module')
def boxes(root):
    return json.loads((root / BOXES).read_text())


def iou(a, b):
    """IoU of boxes (x, y, width, height)."""
    low = np.maximum(a[:2], b[:2])
    high = np.minimum(np.add(a[:2], a[2:]), np.add(b[:2], b[2:]))
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def test_the_category_is_that_of_coco(coco):
    (person,) = coco.dataset['categories']
    assert (person['id'], person['name']) == (1, 'person')
    assert person['keypoints'] == list(JOINTS)
    limbs = person['skeleton']
    assert len(limbs) == 19 and limbs[0] == [16, 14] and limbs[-1] == [5, 7]


def test_the_people_are_those_of_the_instance_file(root, coco):
    path = root / 'annotations' / 'instances_val2017.json'
    everything = json.loads(path.read_text())
    assert coco.dataset['images'] == everything['images']
    plain = [
        {k: v for k, v in ann.items() if 'keypoints' not in k}
        for ann in coco.dataset['annotations']
    ]
    wanted = [a for a in everything['annotations'] if a['category_id'] == 1]
    assert plain == wanted and len(wanted) > 20


def test_visible_joints_lie_in_the_segmentation(people):
    # Of a mask that polygons give back to an IoU of 0.9.
    inside = [
        mask[int(y), int(x)]
        for _, mask, joints in people
        for x, y, seen in joints
        if seen == 2
    ]
    assert np.mean(inside) > 0.97


def test_joints_are_those_of_the_renderer(people):
    for ann, _, joints in people:
        if not ann['num_keypoints']:
            continue
        shot = Shot(WORLD, 'val', ann['image_id'] - 1_000_001)
        near = [
            np.abs(j - joints).max() for j in shot.rendered.joints.values()
        ]
        assert min(near) < 0.01


def test_unlabelled_joints_are_zero_and_the_others_in_the_picture(people):
    kinds = set()
    for _, mask, joints in people:
        for x, y, seen in joints:
            kinds.add(seen)
            if seen:
                assert 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0]
            else:
                assert x == y == 0
    assert kinds == {0, 1, 2}


def test_the_number_of_joints_is_that_of_the_labelled_ones(people):
    for ann, _, joints in people:
        assert ann['num_keypoints'] == (joints[:, 2] > 0).sum()


def test_people_who_are_tiny_in_the_picture_have_no_joints(people):
    assert all(ann['num_keypoints'] for ann, _, _ in people)
    shots = [Shot(World(), 'train', index) for index in range(300)]
    tiny = [
        ann
        for shot in shots
        if any(t.name == 'person' and t.size < 20 for t in shot.scene.things)
        for ann in annotate_people(shot)
        if max(ann['bbox'][2:]) < 20 and not ann['iscrowd']
    ]
    assert tiny and not any(ann['num_keypoints'] for ann in tiny)


def test_crowds_have_no_joints(coco):
    crowds = [ann for ann in coco.anns.values() if ann['iscrowd']]
    assert crowds
    for ann in crowds:
        assert ann['num_keypoints'] == 0 and ann['keypoints'] == [0] * 51


def test_boxes_are_those_of_people_but_for_some(coco, boxes, people):
    assert all(box['category_id'] == 1 for box in boxes)
    assert {box['image_id'] for box in boxes} < {*coco.imgs}
    crowded = {a['image_id'] for a in coco.anns.values() if a['iscrowd']}
    boxes = [box for box in boxes if box['image_id'] not in crowded]
    true: dict = {}
    for ann in coco.anns.values():
        true.setdefault(ann['image_id'], []).append(ann['bbox'])

    def best(box):
        others = true.get(box['image_id'], [])
        return max((iou(box['bbox'], other) for other in others), default=0)

    sure = [best(box) for box in boxes if box['score'] > 0.6]
    unsure = [best(box) for box in boxes if box['score'] < 0.4]
    assert np.mean(np.array(sure) > 0.7) > 0.9
    assert np.mean(np.array(unsure) < 0.3) > 0.3
    assert max(sure) < 1

    def found(ann):
        near = [b for b in boxes if b['image_id'] == ann['image_id']]
        return any(iou(b['bbox'], ann['bbox']) > 0.5 for b in near)

    hits = [found(a) for a, *_ in people if a['image_id'] not in crowded]
    assert 0.85 < np.mean(hits) < 1


def test_boxes_lie_in_the_picture_and_have_a_size(coco, boxes):
    for box in boxes:
        x, y, wide, high = box['bbox']
        image = coco.imgs[box['image_id']]
        assert x >= 0 and y >= 0 and wide > 0 and high > 0
        assert x + wide <= image['width'] + 0.01
        assert y + high <= image['height'] + 0.01
        assert 0 < box['score'] <= 1


@pytest.mark.parametrize('seed', [0, 3, 4, 7])
def test_there_is_a_box_even_if_there_is_nobody(tmp_path, seed):
    world = World(size=64, images_train=1, images_val=1, seed=seed)
    assert not Shot(world, 'val', 0).rendered.joints
    write_world(tmp_path, world, ['keypoints'])
    assert len(json.loads((tmp_path / 'coco' / BOXES).read_text())) >= 1
