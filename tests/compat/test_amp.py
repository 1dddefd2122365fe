"""AMP without an accelerator trains in full precision, and says so."""

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
    dtype='bfloat16',
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
