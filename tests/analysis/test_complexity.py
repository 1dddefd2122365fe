"""FLOPs: fused attention is counted, published figures are met."""

import pytest
import torch
import torch.nn.functional as F

from mmuniformer.analysis.complexity import (
    count_flops,
    count_parameters,
    flops_by_part,
)
from mmuniformer.models import UniFormer

from .. import TINY


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_fused_attention_is_counted(device):
    q = torch.empty(2, 3, 50, 16, device=device)
    flops = count_flops(F.scaled_dot_product_attention, q, q, q)
    assert flops == 2 * 2 * 3 * 50 * 50 * 16


def test_one_multiply_add_is_one_flop():
    layer = torch.nn.Linear(7, 5, bias=False)
    assert count_flops(layer, torch.empty(3, 7)) == 3 * 7 * 5


# (arch, ndim, shape) and GFLOPs, measured on the official code with fvcore.
PUBLISHED = [
    ('s', 2, (224, 224), 3.644),
    ('s_plus', 2, (224, 224), 4.213),
    ('b', 2, (224, 224), 8.273),
    ('l', 2, (224, 224), 19.755),
    ('s', 2, (384, 384), 11.943),
    ('s', 3, (8, 224, 224), 17.61),
    ('s', 3, (16, 224, 224), 41.76),
    ('s', 3, (32, 224, 224), 109.63),
    ('b', 3, (8, 224, 224), 40.23),
    ('b', 3, (16, 224, 224), 96.74),
]


@pytest.mark.parametrize('arch, ndim, shape, gflops', PUBLISHED)
def test_flops_of_the_official_code(arch, ndim, shape, gflops):
    with torch.device('meta'):
        model = UniFormer(arch, ndim).eval()
        x = torch.empty(1, 3, *shape)
    assert count_flops(model, x) / 1e9 == pytest.approx(gflops, rel=0.01)


def test_frozen_parameters_are_not_counted():
    model = torch.nn.Linear(7, 5)
    model.bias.requires_grad = False
    assert count_parameters(model) == 35


@pytest.mark.parametrize('channels', [1, 4])
def test_pictures_of_other_channels(channels):
    model = torch.nn.Module()
    model.backbone = UniFormer(TINY, ndim=2, in_channels=channels)
    usual = torch.nn.Module()
    usual.backbone = UniFormer(TINY, ndim=2)
    flops = [
        flops_by_part(m.to('meta'), (64, 64))['backbone']
        for m in (model, usual)
    ]
    first = 4 * 4 * TINY['embed_dims'][0] * 16 * 16
    assert flops[0] - flops[1] == (channels - 3) * first
