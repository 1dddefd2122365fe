"""Frames of clips, against the formulas of the recipes in whole numbers."""

import itertools
import random

import numpy as np
import pytest

pytest.importorskip('mmaction')
from mmaction.datasets.transforms import UniformSample

from mmuniformer.hosts.mmaction.sampling import DenseSample

LENGTHS = [1, 2, 3, 15, 16, 17, 63, 64, 65, 100, 250, 300, 301, 18000]
RECIPES = [(8, 8), (16, 4), (16, 8), (32, 4)]


def frames(transform, total, first=0):
    results = dict(total_frames=total, start_index=first)
    return transform(results)['frame_inds'].tolist()


def stretched(start, total, clip_len, interval):
    """Floors of clip_len points from the first to the last of a span."""
    last = clip_len * interval - 1
    points = [start + i * last // (clip_len - 1) for i in range(clip_len)]
    return [min(point, total - 1) for point in points]


@pytest.mark.parametrize('total', LENGTHS)
@pytest.mark.parametrize('clip_len, interval', [*RECIPES, (4, 1), (5, 3)])
def test_dense_test_clips(total, clip_len, interval):
    room = max(total - clip_len * interval, 0)
    for clips in (1, 2, 3, 4, 5, 10):
        starts = [k * (room // max(clips - 1, 1)) for k in range(clips)]
        if clips == 1:
            starts = [room // 2]
        wanted = [
            index
            for start in starts
            for index in stretched(start, total, clip_len, interval)
        ]
        sample = DenseSample(clip_len, interval, clips, test_mode=True)
        assert frames(sample, total) == wanted


def test_spacing_of_16_frames_at_4():
    assert frames(DenseSample(16, 4, test_mode=True), 64) == [
        0, 4, 8, 12, 16, 21, 25, 29, 33, 37, 42, 46, 50, 54, 58, 63,
    ]  # fmt: skip


@pytest.mark.parametrize('total', LENGTHS)
@pytest.mark.parametrize('clip_len, interval', RECIPES)
def test_dense_training_clip_from_its_draw(total, clip_len, interval):
    sample = DenseSample(clip_len, interval)
    span = clip_len * interval
    for seed in range(20):
        random.seed(seed)
        start = random.uniform(0, max(total - span, 0))
        points = start + np.arange(clip_len) * (span - 1) / (clip_len - 1)
        # Torch counts in single precision: leave out what is on the edge.
        sure = np.abs(points - points.round()) > 0.01
        wanted = np.minimum(np.floor(points), total - 1).astype(int)
        random.seed(seed)
        assert (np.array(frames(sample, total)) == wanted)[sure].all()


def test_dense_training_clips_reach_both_ends():
    random.seed(0)
    sample = DenseSample(4, 2)
    drawn = [frames(sample, 12) for _ in range(500)]
    assert {clip[0] for clip in drawn} == {0, 1, 2, 3}
    assert {clip[-1] for clip in drawn} == {7, 8, 9, 10}
    # The fraction of the start decides where the inner frames fall.
    assert {(c[1] - c[0], c[2] - c[0]) for c in drawn} == {
        (2, 4),
        (2, 5),
        (3, 5),
    }


def test_dense_frames_of_files_begin_at_1():
    sample = DenseSample(8, 8, 3, test_mode=True)
    zero, one = frames(sample, 100), frames(sample, 100, first=1)
    assert one == [index + 1 for index in zero]


def test_dense_shape_for_the_next_transforms():
    results = DenseSample(8, 4, 3)(dict(total_frames=99, start_index=0))
    assert results['frame_inds'].shape == (24,)
    assert (results['num_clips'], results['clip_len']) == (3, 8)


@pytest.mark.parametrize('total', LENGTHS)
def test_segments_of_mmaction2_are_those_of_the_recipes(total):
    for length, clips in itertools.product((4, 8, 16, 32), (1, 2, 3, 5)):
        segment = (total - 1) / length
        edges = [round(segment * i) for i in range(length + 1)]
        wanted = [
            edges[i] + int(segment / (clips + 1) * (k + 1)) + 1
            for k in range(clips)
            for i in range(length)
        ]
        sample = UniformSample(length, clips, test_mode=True)
        assert frames(sample, total, first=1) == wanted


def test_segments_in_training_have_both_edges():
    np.random.seed(0)
    sample = UniformSample(4)
    drawn = np.array([frames(sample, 14, first=1) for _ in range(400)])
    # 13 / 4 frames each, rounded, the edge with the next one's.
    for column, low, high in zip(drawn.T, (1, 4, 7, 11), (4, 7, 11, 14)):
        assert set(column) == set(range(low, high + 1))
