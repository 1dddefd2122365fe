"""1x1 convolutions of maps as products."""

import pytest
import torch

from mmuniformer.fast import pointwise
from mmuniformer.models.layers import pointwise as build
from mmuniformer.models.tokens import to_channels_last


@pytest.mark.parametrize('shape', [(3, 4), (2, 3, 4)])
def test_a_product_is_the_convolution(shape):
    torch.manual_seed(0)
    layer = build(5, 7, len(shape)).double()
    x = to_channels_last(torch.randn(2, 5, *shape).double()).requires_grad_()
    inputs = x, layer.weight, layer.bias
    found, wanted = pointwise.product(layer, x), layer(x)
    assert to_channels_last(found) is found
    torch.testing.assert_close(found, wanted)
    grad = torch.randn_like(wanted)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, grad),
        torch.autograd.grad(wanted, inputs, grad),
    )


def test_layers_on_a_cpu_are_called_as_they_are():
    layer = build(5, 7, 2).bfloat16()
    x = to_channels_last(torch.randn(2, 5, 3, 4).bfloat16())
    assert not pointwise.applies(layer, x)
