"""AMP without an accelerator: bfloat16, or full precision, which is said."""

import logging

import pytest
import torch
from torch import nn

pytest.importorskip('mmengine')

from mmengine import optim
from mmengine.device import get_device
from mmengine.registry import OPTIM_WRAPPERS

from mmuniformer.compat import amp_without_gpu

WRAPPER = dict(
    type='AmpOptimWrapper',
    loss_scale='dynamic',
    dtype='float16',
    optimizer=dict(type='SGD', lr=0.1),
    clip_grad=dict(max_norm=1),
)


@pytest.mark.skipif(get_device() != 'cpu', reason='has an accelerator')
def test_without_accelerator_the_wrapper_is_plain(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmengine.logging.print_log',
        lambda text, logger, level: said.append((level, text)),
    )
    monkeypatch.setitem(OPTIM_WRAPPERS.module_dict, 'AmpOptimWrapper', None)
    amp_without_gpu.apply(optim)
    wrapper = optim.build_optim_wrapper(nn.Linear(1, 1), WRAPPER)
    assert type(wrapper) is optim.OptimWrapper
    assert wrapper.clip_grad_kwargs == dict(max_norm=1)
    warnings = [text for level, text in said if level >= logging.WARNING]
    assert len(warnings) == 1 and 'full precision' in warnings[0]


def test_with_accelerator_nothing_changes(monkeypatch):
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cuda')
    monkeypatch.setitem(OPTIM_WRAPPERS.module_dict, 'AmpOptimWrapper', None)
    amp_without_gpu.apply(optim)
    assert OPTIM_WRAPPERS.module_dict['AmpOptimWrapper'] is None


@pytest.mark.skipif(torch.cuda.is_available(), reason='has an accelerator')
def test_it_is_installed():
    wrapper = optim.build_optim_wrapper(nn.Linear(1, 1), WRAPPER)
    assert type(wrapper) is optim.OptimWrapper


@pytest.mark.skipif(torch.cuda.is_available(), reason='has an accelerator')
@pytest.mark.parametrize('there', [True, False])
def test_bfloat16_is_computed_where_the_processor_has_it(monkeypatch, there):
    monkeypatch.setattr(
        'mmuniformer.fast.processor.has_bfloat16', lambda: there
    )
    monkeypatch.setitem(OPTIM_WRAPPERS.module_dict, 'AmpOptimWrapper', None)
    amp_without_gpu.apply(optim)
    layer = nn.Linear(4, 1)
    cfg = dict(WRAPPER, dtype='bfloat16')
    wrapper = optim.build_optim_wrapper(layer, cfg)
    with wrapper.optim_context(layer):
        out = layer(torch.ones(2, 4))
    assert out.dtype == (torch.bfloat16 if there else torch.float32)
    wrapper.backward(out.float().sum())
    assert layer.weight.grad.dtype == torch.float32
