"""The light block and its parts against formulas and limits."""

import pytest
import torch
from torch import nn

from mmuniformer.analysis.plain_uniformer import render
from mmuniformer.models.blocks import AttnBlock
from mmuniformer.models.layers import ScoredAttention
from mmuniformer.models.tokens import flatten
from mmuniformer.models.uniformer_light import LightBlock

from .tiny import randomize

DIM, HEADS = 8, 2
MAPS = [(1, 1), (1, 2), (1, 3), (2, 3), (5, 7), (1, 2, 1), (2, 3, 4)]


def block(ndim=2, keep_ratio=0.5, scale=0.0):
    found = LightBlock(DIM, ndim, HEADS, 3, 0.0, scale, keep_ratio).double()
    randomize(found)
    return found


def state(shape, dtype=torch.float64, batch=2):
    """Map, class token and scores, all with gradients."""
    generator = torch.Generator().manual_seed(3)

    def draw(*size, function=torch.randn):
        values = function(size, generator=generator, dtype=torch.float64)
        return values.to(dtype).requires_grad_()

    tokens = torch.Size(shape).numel()
    scores = draw(batch, tokens, function=torch.rand)
    return draw(batch, DIM, *shape), draw(batch, 1, DIM), scores


def run(forward, module, values):
    """Outputs and gradients of a fixed loss."""
    module.zero_grad()
    for value in values:
        value.grad = None
    outputs = forward(*values)
    sum((out * out.detach().sin()).sum() for out in outputs).backward()
    grads = [v.grad for v in [*values, *module.parameters()]]
    return outputs, [g for g in grads if g is not None]


def assert_same(got, wanted):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('shape', MAPS)
@pytest.mark.parametrize('scale', [0.0, 0.1])
@pytest.mark.parametrize('keep_ratio', [0.25, 0.5, 0.9, 1])
def test_block_and_gradients_equal_the_formulas(shape, scale, keep_ratio):
    module = block(len(shape), keep_ratio, scale)
    values = state(shape)
    got = run(lambda *v: module(v), module, values)
    plain = render(module)
    wanted = run(lambda *v: plain(v), plain, values)
    for a, b in zip(got, wanted):
        assert_same(a, b)


def test_first_block_sets_the_scores():
    module = block()
    x, cls_token, _ = state((5, 7))
    wanted = render(module)((x, cls_token, None))
    assert_same(module((x, cls_token, None)), wanted)


def test_dropped_tokens_are_spared_by_drop_path():
    module = block()

    class Half(nn.Module):
        def forward(self, x):
            return 0.5 * x

    module.drop_path = Half()
    values = state((5, 7))
    assert_same(module(values), render(module)(values))


def test_keep_ratio_1_equals_ordinary_attention():
    module = block(keep_ratio=1)
    ordinary = AttnBlock(DIM, 2, HEADS, 3, 0.0, 0.0).double()
    ordinary.load_state_dict(module.state_dict())
    nn.init.zeros_(ordinary.pos_embed.weight)
    nn.init.zeros_(ordinary.pos_embed.bias)
    x, cls_token, scores = state((5, 7))
    tokens = torch.cat([cls_token, flatten(x + module.pos_embed(x))], 1)
    line = tokens.transpose(1, 2)[:, :, None]  # a map of height 1
    wanted = flatten(ordinary(line))
    got, got_cls, _ = module((x, cls_token, scores))
    assert_same([got_cls, flatten(got)], [wanted[:, :1], wanted[:, 1:]])


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_low_precision_with_more_than_2048_tokens(dtype):
    module = block()
    x, cls_token, scores = state((48, 60), batch=1)
    with torch.no_grad():
        wanted = module((x, cls_token, scores))[0]
        module.to(dtype)
        inputs = x.to(dtype), cls_token.to(dtype), scores.float()
        got = module(inputs)[0]
    assert (got - wanted).norm() < 0.01 * wanted.norm()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_scores_stay_in_single_precision(dtype):
    module = block().to(dtype)
    x, cls_token, _ = state((5, 7), dtype)
    scores = module((x, cls_token, None))[2]
    assert scores.dtype == torch.float32
    assert module((x, cls_token, scores))[2].dtype == torch.float32


def test_weights_under_autocast_are_in_single_precision():
    attn = ScoredAttention(DIM, HEADS)
    with torch.autocast('cpu', torch.bfloat16):
        out, weights = attn(torch.randn(2, 9, DIM))
    assert (out.dtype, weights.dtype) == (torch.bfloat16, torch.float32)


def test_weights_are_a_distribution():
    _, weights = ScoredAttention(DIM, HEADS)(torch.randn(2, 9, DIM))
    torch.testing.assert_close(weights.sum(1), torch.ones(2))


def test_scores_that_underflow_give_finite_tokens():
    module = block()
    x, cls_token, scores = state((5, 7))
    scores = torch.zeros_like(scores)
    assert all(out.isfinite().all() for out in module((x, cls_token, scores)))


def test_scores_carry_gradients():
    module = block()
    x, cls_token, scores = state((5, 7))
    module((x, cls_token, scores))[0].sum().backward()
    assert scores.grad.abs().sum() > 0
