"""Operations on whole clips, against timm's on each frame."""

import random

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmaction')
pytest.importorskip('timm')
from timm.data import auto_augment
from timm.data.auto_augment import rand_augment_transform

from mmuniformer.hosts.mmaction.clips import ClipAutoAugment
from mmuniformer.hosts.mmpretrain.timm_policy import posterize
from mmuniformer.hosts.mmseg.transforms import RandomCrop
from mmuniformer.hosts.pixels import moves, whole
from mmuniformer.hosts.pixels.whole import Clip, on_clips

RNG = np.random.default_rng(0)
POLICY = 'rand-m7-n4-mstd0.5-inc1'


def noise(time, height, width):
    return list(RNG.integers(0, 256, (time, height, width, 3), np.uint8))


def smooth(time, height, width):
    """Frames with large areas of one colour, as videos have them."""
    frames = noise(time, height // 6, width // 6)
    return [
        cv2.blur(cv2.resize(f, (width, height), interpolation=0), (3, 3))
        for f in frames
    ]


CLIPS = {
    'noise': noise(3, 41, 56),
    'smooth': smooth(2, 60, 42),
    'one colour': [np.full((9, 12, 3), 255, np.uint8)] * 2,
    'many frames': noise(180, 5, 6),
    'a line': noise(2, 1, 7),
    'a column': noise(1, 5, 1),
}


def ops(policy):
    return {op.name: op for op in policy.ops}


OURS = ops(ClipAutoAugment(POLICY).policy)
TIMM = ops(
    rand_augment_transform(
        POLICY,
        dict(
            img_mean=(128, 128, 128),
            interpolation=Image.Resampling.BICUBIC,
        ),
    )
)


@pytest.mark.parametrize('kind', CLIPS)
@pytest.mark.parametrize('name', OURS)
def test_each_operation_gives_the_pixels_of_timm(name, kind):
    ours, timm = OURS[name], TIMM[name]
    ours.prob = timm.prob = 1
    for number in range(2 if kind == 'many frames' else 4):
        random.seed(number)
        found = ours(Clip.of(CLIPS[kind])).frames()
        for before, after in zip(CLIPS[kind], found):
            random.seed(number)
            wanted = np.asarray(timm(Image.fromarray(before)))
            assert np.array_equal(after, wanted), number


@pytest.fixture
def histograms_of_opencv_5(monkeypatch):
    """One axis in place of two."""
    real = cv2.calcHist
    monkeypatch.setattr(cv2, 'calcHist', lambda *args: real(*args).ravel())


def test_bytes_are_counted_with_opencv_5(histograms_of_opencv_5):
    planes = Clip.of(CLIPS['noise']).planes.reshape(
        -1, *CLIPS['noise'][0].shape[:2]
    )
    wanted = [np.bincount(plane.ravel(), minlength=256) for plane in planes]
    assert np.array_equal(Clip.of(CLIPS['noise']).counts(), wanted)


@pytest.mark.parametrize('share', [0.2, 1.0])
def test_label_maps_are_cropped_with_opencv_5(histograms_of_opencv_5, share):
    labels = np.repeat(np.uint8([0, 1]), [1, 3])[:, None].repeat(4, 1)
    crop = RandomCrop(crop_size=(4, 4), cat_max_ratio=share)
    assert crop.is_mixed(labels) is (share == 1.0)


def test_all_levels_of_operations_by_tables():
    clip, picture = Clip.of(CLIPS['noise'][:1]), CLIPS['noise'][0]
    picture = Image.fromarray(picture)
    pairs = [(whole.invert(clip), auto_augment.invert(picture))]
    for bits in range(9):
        wanted = posterize(auto_augment.posterize, picture, bits)
        pairs.append((whole.posterize(clip, bits), wanted))
    for level in [*range(257), 77.2]:
        wanted = auto_augment.solarize(picture, level)
        pairs.append((whole.solarize(clip, level), wanted))
    for add in range(129):
        wanted = auto_augment.solarize_add(picture, add)
        pairs.append((whole.solarize_add(clip, add), wanted))
    for found, wanted in pairs:
        assert np.array_equal(found.frames()[0], np.asarray(wanted))


def test_other_operations_are_done_frame_by_frame():
    def shade(picture, add):
        return picture.point([min(i + add, 255) for i in range(256)] * 3)

    clip = Clip.of(CLIPS['noise'])
    found = on_clips('Shade', shade)(clip, 9).frames()
    wanted = np.minimum(np.stack(CLIPS['noise']).astype(int) + 9, 255)
    assert np.array_equal(found, wanted)


def test_most_bytes_of_videos_are_computed_once(monkeypatch):
    """Also where they are all alike, near the next whole number."""
    again = []
    exactly = moves.Move.exactly
    monkeypatch.setattr(
        moves.Move,
        'exactly',
        lambda self, table, unsure: (
            again.append(len(unsure)) or exactly(self, table, unsure)
        ),
    )
    planes = Clip.of(CLIPS['smooth']).planes.reshape(6, 60, 42)
    for matrix in ((1, 0.21, 0, 0, 1, 0), (0.96, 0.29, -5, -0.29, 0.96, 4)):
        moves.move(planes, matrix, [0] * 6)
    assert len(again) == 2 and max(again) < 0.02 * planes.size


def test_pillow_moves_pictures_of_which_too_much_is_unsure(monkeypatch):
    monkeypatch.setattr(moves, 'MOST_UNSURE', -1)
    frames = CLIPS['noise']
    matrix = (1, 0.2, 0, 0, 1, 0)
    how = dict(resample=Image.Resampling.BICUBIC, fillcolor=(1, 2, 3))
    size = frames[0].shape[1::-1]
    found = Clip.of(frames).transform(size, Image.AFFINE, matrix, **how)
    for before, after in zip(frames, found.frames()):
        picture = Image.fromarray(before)
        wanted = picture.transform(size, Image.AFFINE, matrix, **how)
        assert np.array_equal(after, wanted)
