"""Depth-wise convolutions: torch's outputs, and their own backward pass."""

import pytest
import torch
import torch.nn.functional as F

from mmuniformer.models.layers import LAYERS
from mmuniformer.models.tokens import to_channels_last

SHAPES = [(6, 7), (1, 1), (4, 6, 7), (1, 3, 2), (2, 5, 5)]


def build(shape, kernel_size, dtype=torch.float64):
    torch.manual_seed(0)
    layer = LAYERS[len(shape)].depthwise(3, kernel_size).to(dtype)
    x = torch.randn(2, 3, *shape, dtype=torch.float64).to(dtype)
    return layer, x.requires_grad_()


def reference(layer, x, weight, bias):
    conv = F.conv2d if x.ndim == 4 else F.conv3d
    return conv(x, weight, bias, padding=layer.padding, groups=3)


def gradients(out, *inputs):
    torch.manual_seed(1)
    return torch.autograd.grad(out, inputs, torch.randn_like(out))


@pytest.mark.parametrize('kernel_size', [3, 5])
@pytest.mark.parametrize('shape', SHAPES)
def test_gradients_are_those_of_torch(shape, kernel_size):
    layer, x = build(shape, kernel_size)
    inputs = x, layer.weight, layer.bias
    wanted = gradients(reference(layer, *inputs), *inputs)
    got = gradients(layer(x), *inputs)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize('kernel_size', [3, 5])
def test_gradients_are_differentiable(kernel_size):
    layer, x = build((2, 3, 3), kernel_size)
    assert torch.autograd.gradgradcheck(layer, x)


def test_gradients_of_functions_are_the_same():
    layer, x = build((2, 3, 3), 5)
    (wanted,) = torch.autograd.grad(layer(x).square().sum(), x)
    got = torch.func.grad(lambda x: layer(x).square().sum())(x)
    torch.testing.assert_close(got, wanted)


def test_frozen_weights_get_no_gradient():
    layer, x = build((2, 3, 3), 5)
    layer.requires_grad_(False)
    layer(x).sum().backward()
    assert x.grad is not None and layer.weight.grad is None


# torch 2.11 itself gives gradients that are off by more than their size.
@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize('kernel_size', [3, 5])
def test_weights_of_clips_get_right_gradients_in_bfloat16(kernel_size, mixed):
    dtype = torch.float32 if mixed else torch.bfloat16
    layer, x = build((2, 6, 6), kernel_size, dtype)
    exact = [v.detach().double() for v in (x, layer.weight, layer.bias)]
    exact[1].requires_grad_()
    with torch.autocast('cpu', torch.bfloat16, enabled=mixed):
        out = layer(to_channels_last(x))
    assert out.dtype == torch.bfloat16
    grad = torch.randn(out.shape, dtype=torch.bfloat16)
    (got,) = torch.autograd.grad(out, layer.weight, grad)
    out = reference(layer, *exact)
    (wanted,) = torch.autograd.grad(out, exact[1], grad.double())
    error = (got.double() - wanted).abs().max() / wanted.abs().max()
    assert error < 0.02


def test_double_precision_is_left_to_itself_under_autocast():
    layer, x = build((6, 7), 5)
    with torch.autocast('cpu', torch.bfloat16):
        assert layer(x).dtype == torch.float64
