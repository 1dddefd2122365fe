"""Inference on CPUs: sums in place, MLPs a few tokens at a time.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
A block asks :func:`applies` once. Where the answer is no, it is computed by
its own formulas, to which these functions are equal.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ..models.layers import Conv3d, DropPath, Mlp
from ..models.tokens import flatten, unflatten
from . import products
from .graphs import (
    cpu_autocast,
    is_compiling,
    is_eager,
    is_plain,
    takes_custom_code,
)

# Tokens per CPU thread that go through an MLP at a time: their hidden values
# then stay in the cache.
TOKENS_AT_A_TIME = 1024
DTYPES = (torch.float32, torch.float64, torch.bfloat16)
LINEAR = (nn.Linear, nn.Conv2d, Conv3d)
# Their output is a new tensor, to which may be added in place.
CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


def applies(block: Any, x: Tensor) -> bool:
    """Whether a block of the map ``x`` is to be computed here.

    Not so in training, where gradients are wanted, under autocast, on other
    devices, in graphs that are exported or traced, and where the block
    or anything in it is hooked, quantised, parametrised or replaced.
    """
    return (
        not (torch.is_grad_enabled() or block.training or cpu_autocast())
        and x.device.type == 'cpu'
        and x.dtype in DTYPES
        and (takes_custom_code() or is_eager(x))
        and not _has_any_global_hook()
        and type(block.drop_path) is DropPath
        and type(block.mlp) is Mlp
        and isinstance(block.pos_embed, CONVOLUTIONS)
        and all(_is_linear(layer, x) for layer in _replaced(block))
        and is_plain(block)
    )


def _replaced(block: Any) -> list[nn.Module]:
    """The layers whose weights are used here in place of their calls."""
    names = [name for name in ('conv1', 'conv2') if hasattr(block, name)]
    layers = [getattr(block, name) for name in names]
    return [*layers, block.mlp.fc1, block.mlp.fc2]


def _is_linear(layer: Any, x: Tensor) -> bool:
    """Whether a layer is the product of ``x`` with a matrix, and a sum."""
    return (
        type(layer) in LINEAR
        and layer.bias is not None
        and layer.weight.dtype == x.dtype
    )


def conv_block(block: Any, x: Tensor) -> Tensor:
    """``ConvBlock.forward``; 1x1 convolutions as products over tokens."""
    x = block.pos_embed(x).add_(x)
    shape = x.shape
    local = flatten(block.attn(block.conv1(block.norm1(x))))
    x = flatten(x).contiguous()
    add_linear(x, local, block.conv2, block.gamma_1)
    add_mlp(x, flatten(block.norm2(unflatten(x, shape))), block)
    return unflatten(x, shape)


def attn_block(block: Any, x: Tensor) -> Tensor:
    """``AttnBlock.forward``."""
    x = block.pos_embed(x).add_(x)
    shape = x.shape
    x = flatten(x).contiguous()
    add(x, block.attend(block.norm1(x), shape), block.gamma_1)
    add_mlp(x, block.norm2(x), block)
    return unflatten(x, shape)


def mixes(block: Any, x: Tensor) -> bool:
    """Whether :func:`mix` is to compute tokens ``x``.

    Not so in graphs: Inductor (PyTorch 2.11) reads the last token behind
    the sums in place, not before them.
    """
    return not is_compiling() and applies(block, x)


def mix(block: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``LightBlock.mix``; ``x`` is changed."""
    branch, weights = block.attn(block.norm1(x))
    old = x[:, -1:].clone()
    add(x, branch, block.gamma_1)
    add_mlp(x, block.norm2(x), block)
    return x, weights, x[:, -1:] - old


def add(x: Tensor, branch: Tensor, gamma: Tensor | None) -> None:
    """Adds ``gamma * branch`` to tokens (B, N, C)."""
    if gamma is None:
        x += branch
    else:
        x.addcmul_(branch, gamma)


def add_linear(
    x: Tensor, hidden: Tensor, layer: Any, gamma: Tensor | None
) -> None:
    """Adds ``gamma * layer(hidden)`` to contiguous tokens (B, N, C)."""
    gamma = None if gamma is None else gamma.flatten()
    rows, hidden = x.flatten(0, 1), hidden.flatten(0, 1)
    weight, packing = layer.weight.flatten(1), products.packing_of(layer)
    _add_product(rows, hidden, weight, layer.bias, gamma, packing)


def _add_product(
    rows: Tensor,
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    gamma: Tensor | None,
    packing: str,
) -> None:
    """Adds a linear layer's output to rows (N, C), in place."""
    if gamma is None and products.by_blas(rows, packing):
        rows.add_(bias).addmm_(hidden, weight.t())
    else:
        add(rows, products.product(hidden, weight, bias, packing), gamma)


def add_mlp(x: Tensor, normed: Tensor, block: Any) -> None:
    """Adds ``gamma_2 * mlp(normed)`` to contiguous tokens (B, N, C).

    Compilers would unroll the loop over the parts, so it is one operator in
    their graphs.
    """
    mlp, gamma = block.mlp, block.gamma_2
    graph = is_compiling()
    add = torch.ops.mmuniformer.add_mlp if graph else add_mlp_in_parts
    add(
        x,
        normed,
        mlp.fc1.weight.flatten(1),
        mlp.fc1.bias,
        mlp.fc2.weight.flatten(1),
        mlp.fc2.bias,
        None if gamma is None else gamma.flatten(),
        products.packing_of(mlp.fc1),
    )


def parts(x: Tensor, normed: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    """Rows (N, C) of both (B, N, C) that are in work together."""
    size = TOKENS_AT_A_TIME * torch.get_num_threads()
    rows, normed = x.view(-1, x.shape[-1]), normed.flatten(0, 1)
    return zip(rows.split(size), normed.split(size))


def add_mlp_in_parts(
    x: Tensor,
    normed: Tensor,
    weight_1: Tensor,
    bias_1: Tensor,
    weight_2: Tensor,
    bias_2: Tensor,
    gamma: Tensor | None,
    packing: str,
) -> None:
    """Adds an MLP of tokens to tokens, in place, some tokens at a time.

    Args:
        x: Contiguous tokens (B, N, C).
        normed: Tokens (B, N, C); may be ``x`` itself.
        weight_1: Weights of the first layer (C', C).
        bias_1: Its bias (C').
        weight_2: Weights of the second layer (C, C').
        bias_2: Its bias (C).
        gamma: Layer scale (C), or None.
        packing: How the weights are kept, see :func:`products.packing_of`.
    """
    for part, source in parts(x, normed):
        hidden = products.product(source, weight_1, bias_1, packing, True)
        _add_product(part, hidden, weight_2, bias_2, gamma, packing)


_LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
_LIBRARY.define(
    'add_mlp(Tensor(a!) x, Tensor normed, Tensor weight_1, Tensor bias_1, '
    'Tensor weight_2, Tensor bias_2, Tensor? gamma, '
    'str packing) -> ()'
)
_LIBRARY.impl('add_mlp', add_mlp_in_parts, 'CPU')
_LIBRARY.impl('add_mlp', lambda *_: None, 'Meta')
