"""Mixed precision: the option of the command line."""

import pytest
import torch
from mmengine.config import Config

from mmuniformer.engine import precision
from mmuniformer.errors import UserError

from .. import ROOT
from ..weights import weight_files

log_lines = pytest.fixture(weight_files.log_lines)


@pytest.mark.parametrize(
    ('given', 'wanted'),
    [
        ('c.py', 'c.py'),
        ('c.py --amp', 'c.py --amp=fp16'),
        ('--amp c.py', '--amp=fp16 c.py'),
        ('--amp bf16 c.py', '--amp=bf16 c.py'),
        ('c.py --amp --resume', 'c.py --amp=fp16 --resume'),
        ('c.py --amp=bf16', 'c.py --amp=bf16'),
        ('--amp c.py --amp bf16', '--amp=fp16 c.py --amp=bf16'),
    ],
)
def test_the_option_may_stand_alone(given, wanted):
    assert precision.join_option(given.split()) == wanted.split()


def recipe(name, kind):
    cfg = Config.fromfile(ROOT / 'configs' / name)
    precision.use_mixed_precision(cfg, kind)
    return cfg


def test_half_precision_scales_the_loss():
    wrapper = recipe('seg/fpn_uniformer_s.py', 'fp16').optim_wrapper
    assert wrapper.type == 'AmpOptimWrapper'
    assert (wrapper.dtype, wrapper.loss_scale) == ('float16', 'dynamic')


def test_bfloat16_scales_nothing_and_validates_in_single():
    cfg = recipe('cls/uniformer_s.py', 'bf16')
    assert cfg.optim_wrapper.dtype == 'bfloat16'
    assert cfg.optim_wrapper.loss_scale == 1.0
    assert not cfg.val_cfg.fp16 and not cfg.test_cfg.fp16


@pytest.mark.parametrize(
    ('name', 'warns'),
    [
        ('cls/uniformer_xxs_128.py', True),
        ('det/mask_rcnn_uniformer_xxs.py', True),
        ('video/uniformer_xxs_4_128_k400.py', False),  # is trained so
        ('seg/fpn_uniformer_s.py', False),
    ],
)
def test_light_recipes_in_single_precision_warn(name, warns, log_lines):
    recipe(name, 'bf16')
    assert ('single precision' in log_lines()) == warns


def test_a_gpu_without_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: (7, 5))
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda: 'Old')
    with pytest.raises(UserError, match=r'bf16: Old .* wanted fp16'):
        recipe('seg/fpn_uniformer_s.py', 'bf16')
