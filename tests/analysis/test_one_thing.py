"""Small things, whose place is known."""

import json

import numpy as np
import pytest

from mmuniformer.analysis import one_thing


@pytest.mark.parametrize('way', one_thing.WAYS)
def test_a_thing_goes_its_way_and_stays_in_its_box(way):
    frames = one_thing.clip(np.random.default_rng(3), way)
    boxes = [one_thing.box(frame[..., 3]) for frame in frames]
    there = one_thing.inside(boxes, frames.shape[1:3])
    assert 0.02 < there.mean() < 0.25
    # What differs between two frames is the thing.
    moved = (frames[0, ..., :3] != frames[-1, ..., :3]).any(-1)
    assert moved.any() and not (moved & ~there[0] & ~there[-1]).any()
    way_of_box = np.sign(np.subtract(boxes[-1], boxes[0]).reshape(2, 2).sum(0))
    assert tuple(way_of_box) == one_thing.WAYS[way]


@pytest.mark.parametrize('moving', [False, True])
def test_boxes_are_written_beside_what_they_are_of(tmp_path, moving):
    one_thing.write(tmp_path, moving, 2, 8)
    known = json.loads((tmp_path / 'boxes.json').read_text())
    assert len(known) == 8
    assert all((tmp_path / path).stat().st_size for path in known)
    side = one_thing.CLIP_SIDE if moving else one_thing.SIDE
    for case in known.values():
        assert len(case['boxes']) == (one_thing.FRAMES if moving else 1)
        area = one_thing.inside(case['boxes'], (side, side)).mean()
        assert 0.02 < area < 0.25


def test_another_seed_gives_other_pictures(tmp_path):
    for seed in (0, 0, 5):
        place = tmp_path / f'{seed}'
        one_thing.write(place, False, 0, 2, seed)
    texts = [(tmp_path / f'{s}/boxes.json').read_text() for s in (0, 5)]
    assert texts[0] != texts[1]
    # What was measured by the default was measured on these.
    case = json.loads(texts[0])['val/car/00000.jpg']
    assert case['boxes'] == [[71, 13, 124, 47]]
    one_thing.write(tmp_path / 'clips', True, 0, 1, 5)
    assert (tmp_path / 'clips/val.csv').read_text() == '00000.mp4,0'
