"""Rates of layers, against the formula."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmuniformer.engine.layer_decay import rates_by_layer
from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer

from .. import TINY

LAST = 1 + sum(TINY['depths'])


def network(**kwargs):
    with torch.device('meta'):
        return nn.ModuleDict(
            dict(backbone=UniFormer(TINY, **kwargs), head=nn.Linear(32, 3))
        )


def config(**rules):
    rules = dict(dict(layer_decay_rate=0.5), **rules)
    return dict(
        optimizer=dict(type='AdamW', lr=1.0, weight_decay=0.05),
        constructor='mmuniformer.LayerDecay',
        paramwise_cfg={k: v for k, v in rules.items() if v is not None},
    )


def settings(model, cfg):
    """(rate, decay) by name."""
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (group['lr'], group['weight_decay'])
        for group in build_optim_wrapper(model, cfg).optimizer.param_groups
        for p in group['params']
    }


@pytest.mark.parametrize(
    ('name', 'depth'),
    [
        ('backbone.patch_embed1.proj.weight', 0),
        ('backbone.blocks1.0.norm1.weight', 1),
        ('backbone.patch_embed3.proj.weight', 3),
        ('backbone.blocks3.1.attn.qkv.weight', 4),
        ('backbone.blocks4.0.mlp.fc2.bias', LAST - 1),
        ('backbone.norm4.weight', LAST),
        ('head.weight', LAST),
    ],
)
def test_rate_of_a_layer(name, depth):
    model = network(dense=True, out_indices=(3,))
    assert settings(model, config())[name][0] == 0.5 ** (LAST - depth)


def test_rules_by_name_multiply():
    rules = dict(
        custom_keys={'blocks4': dict(lr_mult=10.0, decay_mult=0.0)},
        flat_decay_mult=0.0,
    )
    found = settings(network(), config(**rules))
    assert found['backbone.blocks4.0.attn.qkv.weight'] == (5.0, 0.0)
    assert found['head.bias'] == (1.0, 0.0)
    assert found['head.weight'] == (1.0, 0.05)


def test_two_groups_for_each_layer():
    cfg = config(norm_decay_mult=0.0, flat_decay_mult=0.0)
    built = build_optim_wrapper(network(), cfg)
    assert len(built.optimizer.param_groups) <= 2 * (LAST + 1)


def test_table():
    layers = list(rates_by_layer(network(), config()))
    assert [layer.depth for layer in layers] == list(range(LAST + 1))
    assert [layer.rate for layer in layers] == [
        0.5 ** (LAST - depth) for depth in range(LAST + 1)
    ]
    total = sum(p.numel() for p in network().parameters())
    assert sum(layer.values for layer in layers) == total
    assert layers[-1].highest == 1.0


@pytest.mark.parametrize(
    ('rules', 'wanted'),
    [
        (dict(layer_decay_rate=None), 'layer_decay_rate=None: wanted 0'),
        (dict(layer_decay_rate=1.5), 'layer_decay_rate=1.5: wanted 0'),
        (dict(layer_decay_rate='0.7'), "layer_decay_rate='0.7': wanted 0"),
        (dict(decay_rate=0.7), "does not know 'decay_rate'"),
        (dict(num_layers=12), 'it counts the layers itself'),
    ],
)
def test_bad_rules(rules, wanted):
    with pytest.raises(UserError, match=wanted):
        build_optim_wrapper(network(), config(**rules))


def test_a_model_without_layers_to_count():
    with pytest.raises(UserError, match='one part with get_layer_depth'):
        build_optim_wrapper(nn.Linear(2, 2), config())
