"""Inference by integers of 8 bits."""

import pytest
import torch
from mmengine.config import Config

from mmuniformer import fuse
from mmuniformer.engine.speed import add_speed
from mmuniformer.errors import UserError
from mmuniformer.fast import int8, products

from ..models.tiny import VARIANTS, build, images
from ..models.tiny import tensors as flat


@pytest.fixture(autouse=True)
def any_processor(monkeypatch):
    monkeypatch.setattr(int8, 'has_integers', lambda: True)


@pytest.mark.parametrize('name', VARIANTS)
def test_maps_are_nearly_those_of_float32(name):
    model = fuse(build(name).float().eval())
    x = images(model).float()
    with torch.no_grad():
        wanted = flat(model(x))
        int8.to_int8(model)
        got = flat(model(x))
    for a, b in zip(got, wanted):
        difference = (a - b).norm() / b.norm()
        assert 0 < difference < 0.1


@pytest.mark.parametrize('gelu', [False, True])
def test_a_product_is_that_of_the_rounded_factors(gelu):
    torch.manual_seed(0)
    rows, weight, bias = torch.randn(9, 16), torch.randn(8, 16), torch.ones(8)
    steps = weight.abs().amax(1, keepdim=True) / 127
    step = (rows.max() - rows.min()) / 255
    rounded = (weight / steps).round() * steps
    wanted = (rows / step).round() * step @ rounded.t() + bias
    if gelu:
        wanted = torch.nn.functional.gelu(wanted)
    with torch.no_grad():
        got = products.product(rows, weight, bias, products.INT8, gelu)
    torch.testing.assert_close(got, wanted, rtol=0, atol=0.05)


def test_a_model_that_is_not_fused_is_refused():
    with pytest.raises(UserError, match='wanted a fused model'):
        int8.to_int8(build('global').float().eval())


def test_processors_without_it_are_refused(monkeypatch):
    monkeypatch.setattr(int8, 'has_integers', lambda: False)
    with pytest.raises(UserError, match='cpu does not compute by integers'):
        int8.to_int8(fuse(build('global').float().eval()))
    with pytest.raises(UserError, match='cuda:0 does not'):
        int8.check_integers('cuda:0')


def test_the_option_of_tests_fuses():
    cfg = Config(dict(custom_hooks=[dict(type='EMAHook')], default_hooks={}))
    add_speed(cfg, int8=True)
    hook = cfg.default_hooks['speed']
    assert hook['fuse'] and hook['int8'] and not cfg.custom_hooks


def test_integers_are_not_computed_under_autocast():
    cfg = Config(dict(test_cfg=dict(fp16=True)))
    add_speed(cfg, int8=True)
    assert cfg.test_cfg.fp16 is False


def test_half_and_integers_at_once_are_refused():
    with pytest.raises(UserError, match='wanted one of them'):
        add_speed(Config(dict()), half=True, int8=True)
