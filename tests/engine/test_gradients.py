"""Gradients are stored as their weights, so that buckets take them."""

import pytest
import torch

from mmuniformer.engine import gradients

from ..models.tiny import build, images


def strange(model):
    """Names of weights whose gradients have other strides."""
    return [
        name
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.stride() != p.stride()
    ]


@pytest.mark.parametrize('kind', ['global', 'light', 'video'])
def test_gradients_have_the_strides_of_weights(kind):
    plain, model = build(kind), build(kind)
    gradients.keep_strides(model)
    for one in (plain, model):
        one.train()
        outs = one(images(one))
        outs = outs if isinstance(outs, tuple) else (outs,)
        sum(out.square().sum() for out in outs).backward()
    assert strange(plain) and not strange(model)
    for own, other in zip(model.parameters(), plain.parameters()):
        if other.grad is not None:
            assert torch.equal(own.grad, other.grad)


def test_another_order_is_left_as_it_is():
    grad = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)
    assert gradients.restride((48, 16, 4, 1), grad) is grad
