"""Every detection recipe trains and tests in mmdet, at a reduced size."""

from math import isfinite

import pytest

from .. import ROOT
from . import steps

pytest.importorskip('mmdet')

RECIPES = sorted(
    path.stem
    for path in (ROOT / 'configs/det').glob('*.py')
    if 'toy' not in path.stem
)


def shrink(pipeline, factor):
    """Multiplies all sizes of pictures, branches included."""

    def times(value):
        if isinstance(value, (list, tuple)):
            return [times(v) for v in value]
        return int(value * factor)

    for entry in pipeline:
        for key in ('scale', 'crop_size'):
            if key in entry:
                entry[key] = tuple(times(entry[key]))
        if 'scales' in entry:
            entry['scales'] = [tuple(s) for s in times(entry['scales'])]
        for branch in entry.get('transforms', ()):
            shrink(branch, factor)


def few_regions(cfg):
    """The real heads, on fewer regions than real pictures have."""
    train, test = cfg.model.train_cfg, cfg.model.test_cfg
    train.rpn_proposal.max_per_img = 50
    stages = train.rcnn if isinstance(train.rcnn, list) else [train.rcnn]
    for stage in stages:
        stage.sampler.num = 16
    test.rpn.max_per_img = 16
    test.rcnn.update(score_thr=0.0, max_per_img=4)


@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_training_and_of_testing(name, toy_data):
    cfg = steps.load(f'det/{name}', toy_data)
    few_regions(cfg)
    for split in ('train', 'test'):
        shrink(cfg[f'{split}_dataloader'].dataset.pipeline, 0.12)
    losses, unused, samples = steps.run(cfg)
    assert all(map(isfinite, losses.values()))
    assert not unused
    found = samples[0].pred_instances
    assert len(found) == 4 and found.masks.shape == (4, 72, 96)
