"""The detection recipes against the values of the official configs."""

from importlib.util import find_spec

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmuniformer.engine.complexity import (
    build_on_meta,
    count_parameters,
    flops_by_part,
)
from mmuniformer.models.arch import ARCHS

from .. import ROOT
from .common import (
    build_backbone,
    learning_rates,
    parameter_groups,
    recipes,
)

TABLE = recipes('det')
del TABLE['shared']
EPOCH_LENGTH = 60


@pytest.fixture(params=TABLE, scope='module')
def row(request):
    return dict(TABLE[request.param], name=request.param)


@pytest.fixture(scope='module')
def cfg(row):
    return Config.fromfile(ROOT / f'configs/det/{row["name"]}.py')


@pytest.fixture(scope='module')
def backbone(cfg):
    return build_backbone(cfg)


def test_the_table_has_every_recipe():
    leaves = {p.stem for p in (ROOT / 'configs/det').glob('*.py')}
    assert set(TABLE) == {name for name in leaves if 'toy' not in name}


def test_detector_and_size(cfg, row, backbone):
    assert cfg.model.type == row['detector']
    assert backbone.arch == ARCHS[row['arch']]


def test_drop_path(row, backbone):
    rate = backbone.blocks4[-1].drop_path.rate
    assert rate == pytest.approx(row['drop_path_rate'])


def test_checkpointed_blocks(row, backbone):
    assert list(backbone.checkpointed) == row['checkpointed']


def test_windows_of_stage_3(row, backbone):
    if row['attention'] != 'hybrid':
        pytest.skip('not a hybrid')
    windows = [block.window_size for block in backbone.blocks3]
    assert windows == [
        0 if (i + 1) % 4 == 0 else row['window_size']
        for i in range(len(windows))
    ]


def test_starting_weights(cfg, row):
    assert (
        f'/{row["pretrained"]}.pth' in cfg.model.backbone.init_cfg.checkpoint
    )


def test_learning_rate_at_every_iteration(cfg, row):
    iterations = row['epochs'] * EPOCH_LENGTH
    warmup, first = row['warmup']
    wanted = [
        min(first + (1 - first) * i / warmup, 1)
        * 0.1 ** sum(i // EPOCH_LENGTH >= step for step in row['steps'])
        for i in range(iterations)
    ]
    rates = learning_rates(cfg.param_scheduler, iterations, EPOCH_LENGTH)
    assert rates == pytest.approx(wanted)
    assert cfg.train_cfg.max_epochs == row['epochs']


def test_optimizer_groups(cfg, row, backbone):
    """No decay where the name contains 'norm', and only there."""
    model = nn.ModuleDict(dict(backbone=backbone, bn=nn.BatchNorm2d(2)))
    groups = parameter_groups(cfg.optim_wrapper, model)
    assert groups == {
        name: (row['lr'], 0.0 if 'norm' in name else row['weight_decay'])
        for name in groups
    }


def test_optimizer(cfg, row):
    wrapper = cfg.optim_wrapper
    assert wrapper.optimizer.type == 'AdamW'
    assert list(wrapper.optimizer.betas) == row['betas']
    assert (wrapper.type == 'AmpOptimWrapper') == row['amp']
    assert wrapper.get('clip_grad') is None


def test_images_per_step(cfg, row):
    assert cfg.train_dataloader.batch_size * 8 == row['images_per_step']
    assert cfg.auto_scale_lr.base_batch_size == row['images_per_step']


def test_test_scale(cfg, row):
    resize = cfg.test_dataloader.dataset.pipeline[1]
    assert (resize.type, resize.keep_ratio) == ('Resize', True)
    assert list(resize.scale) == row['test_scale']


@pytest.fixture(scope='module')
def model(cfg):
    if find_spec('mmdet') is None:
        pytest.skip('needs mmdet')
    init_default_scope(cfg.default_scope)
    return build_on_meta(cfg.model)


def test_parameters(model, row):
    million = count_parameters(model) / 1e6
    assert million == pytest.approx(row['parameters'], abs=0.005)


def test_published_flops(model, row):
    if not row['gflops']:
        pytest.skip('none published')
    with torch.no_grad():
        total = sum(flops_by_part(model, (800, 1280)).values())
    assert total / 1e9 == pytest.approx(row['gflops'], rel=0.01)
