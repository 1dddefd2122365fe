"""Exported graphs: right at sizes that they were not traced at."""

import warnings
from contextlib import nullcontext

import pytest
import torch
from torch.export import Dim
from torch.fx.experimental import _config

from ..models.tiny import build, images, tensors

# From 32 pixels on with PyTorch's switch, in those versions that have it.
SWITCH = 'backed_size_oblivious'
KINDS = {'hybrid': 64, 'light_cls': 32 if hasattr(_config, SWITCH) else 64}
SIZES = [(1, 64, 96), (3, 75, 101), (2, 128, 65)]
# A window as large as the map of the trace, and smaller than others are.
WINDOWS = dict(hybrid=dict(window_size=6))


def inputs(model, batch, height, width):
    time = (4,) if model.ndim == 3 else ()
    return torch.randn(batch, 3, *time, height, width)


@pytest.mark.parametrize('variant', KINDS)
def test_exported_graphs_are_right_at_other_sizes(variant):
    model = build(variant, **WINDOWS.get(variant, {})).float().eval()
    low = KINDS[variant]
    sizes = {
        0: Dim('batch', min=1, max=64),
        2: Dim('height', min=low, max=2048),
        3: Dim('width', min=low, max=2048),
    }
    x = inputs(model, 2, 64, 96)
    switch = _config.patch(SWITCH, True) if low < 64 else nullcontext()
    with torch.no_grad(), switch:
        graph = torch.export.export(model, (x,), dynamic_shapes=(sizes,))
        for batch, *size in [*SIZES, (1, low, low)]:
            x = inputs(model, batch, *size)
            got, wanted = tensors(graph.module()(x)), tensors(model(x))
            torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('variant', ['light'])
def test_exported_graphs_have_no_operators_of_ours(variant):
    model = build(variant).eval()
    with torch.no_grad():
        for strict in (False, True):
            graph = torch.export.export(model, (images(model),), strict=strict)
            assert 'mmuniformer' not in graph.graph_module.code


@pytest.mark.parametrize('variant', ['hybrid', 'light_cls', 'video'])
def test_traced_graphs_equal_the_model(variant):
    model = build(variant).eval()
    x = images(model)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that sizes become constants
        traced = torch.jit.trace(model, (x,), check_trace=False)
        got, wanted = tensors(traced(x)), tensors(model(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)
