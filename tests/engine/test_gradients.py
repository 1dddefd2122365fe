"""Gradients are stored as their weights, so that buckets take them."""

import torch
from torch import nn

from mmuniformer.engine import gradients

# A depth-wise kernel, and what a channels-last convolution makes of it.
SHAPE, OWN, OTHER = (6, 1, 3, 3), (9, 9, 3, 1), (9, 1, 3, 1)


class Strange(torch.autograd.Function):
    """A sum whose gradient has strides of its own."""

    @staticmethod
    def forward(ctx, weight):
        return weight.sum()

    @staticmethod
    def backward(ctx, grad):
        return torch.arange(54.0).as_strided(SHAPE, OTHER)


def test_gradients_have_the_strides_of_weights():
    model = nn.Conv2d(6, 6, 3, groups=6)
    gradients.keep_strides(model)
    Strange.apply(model.weight).backward()
    assert model.weight.grad.stride() == model.weight.stride() == OWN
    assert torch.equal(model.weight.grad.flatten(), torch.arange(54.0))


def test_no_number_is_moved():
    grad = torch.arange(54.0).as_strided(SHAPE, OTHER)
    found = gradients.restride(OWN, grad)
    assert found.stride() == OWN and found.data_ptr() == grad.data_ptr()


def test_another_order_is_left_as_it_is():
    grad = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)
    assert gradients.restride((48, 16, 4, 1), grad) is grad
