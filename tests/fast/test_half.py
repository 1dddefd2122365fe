"""Inference in half precision."""

import pytest
import torch
from mmengine.config import Config

from mmuniformer import fuse
from mmuniformer.engine.speed import add_speed
from mmuniformer.errors import UserError
from mmuniformer.fast import processor
from mmuniformer.fast.half import half_dtype, to_half

from ..models.tiny import VARIANTS, build, images
from ..models.tiny import tensors as flat


def ready(name, fused):
    model = build(name).float().eval()
    return fuse(model) if fused else model


@pytest.mark.parametrize('fused', [False, True])
@pytest.mark.parametrize('name', VARIANTS)
def test_maps_are_nearly_those_of_float32(name, fused):
    model = ready(name, fused)
    x = images(model).float()
    with torch.no_grad():
        wanted = flat(model(x))
        to_half(model)
        got = flat(model(x))
    for a, b in zip(got, wanted):
        assert a.dtype == torch.float32
        assert (a - b).norm() < 0.03 * b.norm()
    assert model.blocks3[0].norm1.weight.dtype == torch.float32


def test_weights_take_half_the_memory():
    model = ready('global', True)
    to_half(model)
    assert model.blocks1[0].mlp.fc1.weight.dtype == torch.bfloat16


def test_training_is_refused():
    with pytest.raises(UserError, match=r'training mode: wanted model\.eval'):
        to_half(build('global').train())


def test_processors_without_it_are_refused(monkeypatch):
    # AVX-512 without them; PyTorch says yes.
    monkeypatch.setattr(processor, 'flags', lambda: frozenset(('avx512bw',)))
    with pytest.raises(UserError, match='half=True: this CPU does not'):
        half_dtype('cpu')


def test_gpus_have_float16():
    assert half_dtype('cuda:1') == torch.float16


def test_the_option_of_tests_leaves_the_heads_as_they_are(monkeypatch):
    monkeypatch.setattr(
        'mmuniformer.engine.speed.half_dtype', lambda device: torch.bfloat16
    )
    cfg = Config(dict(test_cfg=dict(fp16=True), default_hooks=dict()))
    add_speed(cfg, half=True)
    assert not cfg.test_cfg.fp16 and cfg.default_hooks.speed.half
