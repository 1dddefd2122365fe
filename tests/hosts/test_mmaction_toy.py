"""The toy recipes of video, and their frames in a random order."""

from math import isfinite

import numpy as np
import pytest

from mmuniformer.toyworld import CLIP_LAYOUTS, World, write_world

from . import steps

pytest.importorskip('mmaction')
from mmuniformer.hosts.mmaction.clips import ShuffleFrames

RECIPES = {'uniformer_toy': 'kinetics', 'uniformer_xxs_toy': 'ssv'}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('toyworld')
    write_world(folder, World(images_train=2, images_val=1), [*CLIP_LAYOUTS])
    return folder


@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_training_and_of_testing(name, data):
    from mmaction.datasets import repeat_pseudo_collate

    cfg = steps.load(f'video/{name}', data)
    layout = CLIP_LAYOUTS[RECIPES[name]]
    assert cfg.train_dataloader.dataset.data_root == str(data / layout.path)
    losses, unused, samples = steps.run(
        cfg, images=2, collate=repeat_pseudo_collate
    )
    assert all(map(isfinite, losses.values())) and not unused
    assert samples[0].pred_score.shape == (8,)


@pytest.mark.parametrize('name', RECIPES)
def test_a_shuffled_test_differs_in_nothing_but_the_order(name, data):
    plain, shuffled = (
        steps.load(f'video/{name}{end}', data) for end in ('', '_shuffled')
    )
    for pipeline in (
        shuffled.test_dataloader.dataset.pipeline,
        shuffled.test_pipeline,
    ):
        types = [step.type for step in pipeline]
        pipeline.pop(types.index('mmuniformer.ShuffleFrames'))
    assert shuffled.to_dict() == plain.to_dict()


def test_frames_stay_in_their_clip_in_any_order():
    np.random.seed(0)
    frames = list(np.arange(12))
    orders = set()
    for _ in range(40):
        results = dict(imgs=frames, clip_len=4, num_clips=3)
        found = np.reshape(ShuffleFrames()(results)['imgs'], (3, 4))
        assert (np.sort(found, 1).ravel() == frames).all()
        orders |= {tuple(clip - clip.min()) for clip in found}
    assert len(orders) == 24
