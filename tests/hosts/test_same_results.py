"""Transforms of ours against the hosts': the same draws and results."""

import pickle

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmuniformer.hosts.pixels.planes import mirrored, planar, straight
from mmuniformer.registry import TRANSFORMS

RNG = np.random.default_rng(0)
IMAGE = cv2.blur(RNG.integers(0, 256, (90, 120, 3), np.uint8), (3, 3))


@pytest.mark.parametrize('view', [np.s_[:], np.s_[:, ::-1], np.s_[5:, 7:90]])
def test_pictures_keep_their_pixels(view):
    for image in (IMAGE[view], planar(IMAGE)[view]):
        assert np.array_equal(straight(image), image)
        assert np.array_equal(planar(image), image)
        assert np.array_equal(mirrored(image), image[:, ::-1])
        assert straight(image).flags.c_contiguous
        assert planar(image).transpose(2, 0, 1).flags.c_contiguous


def test_planes_are_not_copied_again():
    image = planar(IMAGE)
    assert planar(image) is not image and planar(image).base is not None
    assert np.shares_memory(planar(image), image)
    assert not np.shares_memory(mirrored(image), image)


def scope_of(name):
    """The default scope of a host, if it is installed."""
    pytest.importorskip(name)
    init_default_scope(name)


def both(name, make, **settings):
    """Results of ours and of the host's transform, by the same draws."""
    from mmcv.transforms import TRANSFORMS as THEIRS

    found = []
    for registry, kind in (
        (TRANSFORMS, f'mmuniformer.{name}'),
        (THEIRS, name),
    ):
        transform = registry.build(dict(type=kind, **settings))
        np.random.seed(0)
        found.append([transform(make()) for _ in range(24)])
    return zip(*found)


def labels_of(count):
    """A label map of few classes, in large parts."""
    small = RNG.integers(0, count, (3, 4), np.uint8)
    small[0, 0] = 255
    return small.repeat(30, 0).repeat(30, 1)


@pytest.mark.parametrize('share', [0.4, 0.75, 1.0])
def test_crops_of_label_maps(share):
    scope_of('mmseg')
    labels = labels_of(3)

    def make():
        return dict(img=IMAGE, gt_seg_map=labels, seg_fields=['gt_seg_map'])

    for ours, theirs in both(
        'RandomCrop', make, crop_size=(40, 50), cat_max_ratio=share
    ):
        assert np.array_equal(ours['img'], theirs['img'])
        assert np.array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])


@pytest.mark.parametrize('view', [np.s_[:], np.s_[:, ::-1]])
def test_distorted_colours(view):
    scope_of('mmseg')

    def make():
        return dict(img=IMAGE[view])

    for ours, theirs in both('PhotoMetricDistortion', make):
        assert np.array_equal(ours['img'], theirs['img'])


def test_people_of_flipped_pictures():
    scope_of('mmpose')

    def make():
        return dict(
            img=IMAGE[:, ::-1],
            bbox_center=np.float32([[60, 45]]),
            bbox_scale=np.float32([[80, 70]]),
            bbox_rotation=np.float32([20]),
            keypoints=np.float32([[[50, 40]]]),
        )

    for ours, theirs in both('TopdownAffine', make, input_size=(48, 64)):
        assert np.array_equal(ours['img'], theirs['img'])
        keys = 'transformed_keypoints'
        assert np.array_equal(ours[keys], theirs[keys])


def masks_of(kind, height=48, width=64):
    """A disk, a mask that touches all edges, an empty one, a pixel."""
    masks = np.zeros((4, height, width), np.uint8)
    cv2.circle(masks[0], (40, 20), 15, 1, -1)
    masks[1, ::5, ::7] = 1
    masks[1, -1, -1] = 1
    masks[3, 10, 63] = 1
    return kind(masks, height, width)


@pytest.fixture
def pair():
    """The same masks by ours and by mmdet's class."""
    pytest.importorskip('mmdet')
    from mmdet.structures.mask import BitmapMasks

    from mmuniformer.hosts.mmdet.masks import LocalMasks, part_of

    theirs = masks_of(BitmapMasks)
    # As pycocotools and as everything else decodes.
    orders = np.asfortranarray, np.ascontiguousarray
    parts = [
        part_of(orders[i % 2](mask)) for i, mask in enumerate(theirs.masks)
    ]
    return LocalMasks.of(parts, 48, 64), theirs


STEPS = {
    'grow': lambda m: m.rescale((133, 80)),
    'shrink': lambda m: m.resize((17, 31)),
    'smooth': lambda m: m.resize((60, 70), 'bilinear'),
    'horizontal': lambda m: m.flip(),
    'vertical': lambda m: m.flip('vertical'),
    'diagonal': lambda m: m.flip('diagonal'),
    'crop': lambda m: m.crop(np.array([20, 5, 50, 30])),
    'crop outside': lambda m: m.crop(np.array([-3, 40, 99, 99])),
    'crop nothing': lambda m: m.crop(np.array([9, 9, 9, 20])),
    'pad': lambda m: m.pad((50, 80)),
    'pad with 1': lambda m: m.pad((50, 80), 1),
    'some': lambda m: m[np.array([2, 0])],
    'flags': lambda m: m[np.array([True, False, False, True])],
    'none': lambda m: m[np.zeros(0, int)],
    'turn': lambda m: m.rotate((48, 64), 30),
}


@pytest.mark.parametrize('name', STEPS)
def test_masks(pair, name):
    ours, theirs = map(STEPS[name], pair)
    ours, theirs = (m.flip().rescale(1.3) for m in (ours, theirs))
    assert len(ours) == len(theirs)
    assert (ours.height, ours.width) == (theirs.height, theirs.width)
    assert np.array_equal(ours.areas, theirs.areas)
    ours = pickle.loads(pickle.dumps(ours))
    assert ours.masks.dtype == theirs.masks.dtype
    assert np.array_equal(ours.masks, theirs.masks)


def test_masks_keep_what_is_written_into_them(pair):
    masks, _ = pair
    masks.masks[2, 5, 6] = 1
    assert masks.flip().masks[2, 5, 57] == 1
    assert np.array_equal(masks.areas, masks.masks.sum((1, 2)))


def test_masks_that_are_joined(pair):
    ours, theirs = pair
    joined = type(ours).cat([ours, ours]).masks
    assert np.array_equal(joined, type(theirs).cat([theirs, theirs]).masks)
