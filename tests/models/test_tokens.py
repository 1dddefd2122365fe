"""Layout changes and token selection."""

import pytest
import torch

from mmuniformer.models.tokens import (
    flatten,
    keep,
    merge,
    pool_scores,
    restore,
    unflatten,
    window_join,
    window_split,
)

SHAPES = pytest.mark.parametrize('shape', [(4, 6), (5, 7), (3, 5, 4)])
BATCHES = pytest.mark.parametrize('batch', [1, 2])


def channels_last_strides(shape):
    layout = [torch.channels_last, torch.channels_last_3d][len(shape) - 4]
    return torch.empty(shape).contiguous(memory_format=layout).stride()


@SHAPES
def test_unflatten_inverts_flatten(shape):
    x = torch.randn(2, 8, *shape)
    assert torch.equal(unflatten(flatten(x), x.shape), x)


@SHAPES
@BATCHES
def test_map_of_tokens_is_channels_last_by_its_strides(shape, batch):
    sizes = (batch, 8, *shape)
    tokens = torch.randn(batch, torch.Size(shape).numel(), 8)
    assert unflatten(tokens, sizes).stride() == channels_last_strides(sizes)


@SHAPES
@BATCHES
def test_gradient_of_tokens_is_channels_last_by_its_strides(shape, batch):
    x = torch.randn(batch, 8, *shape, requires_grad=True)
    strides = []
    y = 1 * x
    y.register_hook(lambda grad: strides.append(grad.stride()))
    tokens = flatten(y)
    tokens.backward(torch.randn(tokens.shape))
    assert strides == [channels_last_strides(x.shape)]


@pytest.mark.parametrize('window', [2, 3, 7])
def test_window_join_inverts_window_split(window):
    x = torch.randn(2, 8, 5, 7)
    joined = window_join(window_split(x, window), window, x.shape)
    assert torch.equal(joined, x)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_restore_of_kept_tokens_is_exact(dtype):
    count = 5000
    x = torch.randn(2, count, 4).to(dtype)
    index = torch.stack([torch.randperm(count)[: count // 2] for _ in x])
    update = torch.zeros(2, 1, 4, dtype=dtype)
    assert torch.equal(restore(x, index, keep(x, index), update), x)


def test_restore_updates_the_others_and_no_kept_token():
    x = torch.zeros(1, 5, 1)
    index = torch.tensor([[3, 1]])
    kept = torch.tensor([[[3.0], [1.0]]])
    got = restore(x, index, kept, torch.full((1, 1, 1), 7.0))
    assert got.flatten().tolist() == [7, 1, 7, 3, 7]


def pooled(scores, shape):
    """The scores of one sample, one place after another."""
    *frames, height, width = shape
    maps = scores.reshape(*(frames or [1]), height, width)
    cells = torch.stack(
        [
            frame[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean()
            for frame in maps
            for i in range(height // 2)
            for j in range(width // 2)
        ]
    )
    return cells * scores.sum() / cells.sum()


@pytest.mark.parametrize('shape', [(4, 6), (5, 7), (2, 4, 6), (3, 5, 4)])
def test_pooled_scores_equal_the_formula(shape):
    scores = torch.rand(2, torch.Size(shape).numel())
    sizes = (2, 8, *shape)
    wanted = torch.stack([pooled(sample, shape) for sample in scores])
    torch.testing.assert_close(pool_scores(scores, sizes), wanted)


def test_pooling_keeps_the_sum_of_an_odd_map():
    scores = torch.rand(2, 35)
    pooled = pool_scores(scores, (2, 8, 5, 7))
    assert pooled.shape == (2, 6)
    torch.testing.assert_close(pooled.sum(1), scores.sum(1))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_merge_weighs_in_the_precision_of_the_weights(dtype):
    x = torch.randn(2, 5000, 4).to(dtype)
    weights = torch.rand(2, 5000) * 1e-9  # zero in float16
    shares = weights.double() / weights.double().sum(1, keepdim=True)
    wanted = shares[:, None] @ x.double()
    error = (merge(x, weights) - wanted).abs().max()
    assert error <= torch.finfo(dtype).eps * wanted.abs().max()


def test_kept_tokens_may_have_another_precision():
    """As under autocast, which computes them in the wider of two."""
    x = torch.zeros(1, 4, 2, dtype=torch.bfloat16)
    out = restore(x, torch.tensor([[1, 3]]), torch.ones(1, 2, 2), x[:, :1])
    assert out.dtype == x.dtype and out[0, :, 0].tolist() == [0, 1, 0, 1]
