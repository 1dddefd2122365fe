"""Inference on CPUs: sums in place, MLPs a few tokens at a time.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
A block asks :func:`applies` once. Where the answer is no, it is computed by
its own formulas, to which these functions are equal.
"""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from ..models.layers import DropPath, Mlp
from ..models.tokens import flatten, unflatten, window_join, window_split
from . import products
from .graphs import cpu_autocast, is_compiling, is_eager, takes_custom_code

# Tokens per CPU thread that go through an MLP at a time: their hidden values
# then stay in the cache.
TOKENS_AT_A_TIME = 1024
LINEAR = (nn.Linear, nn.Conv2d, nn.Conv3d)
HOOKS = (
    '_forward_hooks',
    '_forward_pre_hooks',
    '_backward_hooks',
    '_backward_pre_hooks',
)


def applies(block: Any, x: Tensor) -> bool:
    """Whether a block of the map ``x`` is to be computed here.

    Not so in training, where gradients are wanted, in low precision, on
    other devices, in graphs that are exported or traced, and where the block
    or anything in it is hooked, quantised, parametrised or replaced.
    """
    return (
        not (torch.is_grad_enabled() or block.training or cpu_autocast())
        and x.device.type == 'cpu'
        and x.dtype in (torch.float32, torch.float64)
        and (takes_custom_code() or is_eager(x))
        and not _has_any_global_hook()
        and type(block.drop_path) is DropPath
        and type(block.mlp) is Mlp
        and all(map(_is_linear, _replaced(block)))
        and _is_plain(block, x.dtype)
    )


def _replaced(block: Any) -> list[nn.Module]:
    """The layers whose weights are used here in place of their calls."""
    names = [name for name in ('conv1', 'conv2') if hasattr(block, name)]
    layers = [getattr(block, name) for name in names]
    return [*layers, block.mlp.fc1, block.mlp.fc2]


def _is_linear(layer: Any) -> bool:
    """Whether a layer is the product with a matrix and a sum."""
    return type(layer) in LINEAR and layer.bias is not None


def _is_plain(module: nn.Module, dtype: torch.dtype) -> bool:
    """Whether a module is nothing but its code and weights of a dtype."""
    own = vars(module)
    if 'forward' in own or any(own[name] for name in HOOKS):
        return False
    for value in own['_parameters'].values():
        if value is not None and (
            value.dtype != dtype or type(value) not in (nn.Parameter, Tensor)
        ):
            return False
    return all(_is_plain(child, dtype) for child in own['_modules'].values())


def conv_block(block: Any, x: Tensor) -> Tensor:
    """``ConvBlock.forward``; 1x1 convolutions as products over tokens."""
    x = x + block.pos_embed(x)
    shape = x.shape
    local = flatten(block.attn(block.conv1(block.norm1(x))))
    x = flatten(x).contiguous()
    add_linear(x, local, block.conv2, block.gamma_1)
    add_mlp(x, flatten(block.norm2(unflatten(x, shape))), block)
    return unflatten(x, shape)


def attn_block(block: Any, x: Tensor) -> Tensor:
    """``AttnBlock.forward``."""
    x = x + block.pos_embed(x)
    shape = x.shape
    x = flatten(x).contiguous()
    branch = attend(block, block.norm1(x), shape)
    x += branch if block.gamma_1 is None else block.gamma_1 * branch
    add_mlp(x, block.norm2(x), block)
    return unflatten(x, shape)


def attend(block: Any, x: Tensor, shape: torch.Size) -> Tensor:
    """``AttnBlock.attend``, (B, N, C) -> (B, N, C)."""
    attn, size = block.attn, block.window_size
    if not (packs(attn.qkv, x) and packs(attn.proj, x)):
        return block.attend(x, shape)
    if not size:
        return attention(attn, x)
    windows = window_split(unflatten(x, shape), size)
    return flatten(window_join(attention(attn, windows), size, shape))


def attention(attn: Any, x: Tensor) -> Tensor:
    """``Attention.forward`` with packed weights, (B, N, C) -> (B, N, C)."""
    b, n, _ = x.shape
    rows = products.linear(
        x.reshape(b * n, -1), products.pack(attn.qkv), attn.qkv.bias
    )
    qkv = rows.view(b, n, 3, attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    query, key, value = qkv.unbind()
    x = F.scaled_dot_product_attention(query, key, value)
    rows = x.transpose(1, 2).reshape(b * n, -1)
    packed = products.pack(attn.proj)
    return products.linear(rows, packed, attn.proj.bias).view(b, n, -1)


def add_linear(
    x: Tensor, hidden: Tensor, layer: Any, gamma: Tensor | None
) -> None:
    """Adds ``gamma * layer(hidden)`` to contiguous tokens (B, N, C)."""
    if packs(layer, x):
        rows = hidden.flatten(0, 1)
        rows = products.linear(rows, products.pack(layer), layer.bias)
        x += rows.view_as(x)
        return
    gamma = None if gamma is None else gamma.flatten()
    rows, hidden = x.flatten(0, 1), hidden.flatten(0, 1)
    _add_product(rows, hidden, layer.weight.flatten(1), layer.bias, gamma)


def _add_product(
    rows: Tensor,
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    gamma: Tensor | None,
) -> None:
    """Adds a linear layer's output to rows (N, C), in place."""
    if gamma is None:
        rows.add_(bias).addmm_(hidden, weight.t())
    else:
        rows.addcmul_(torch.mm(hidden, weight.t()).add_(bias), gamma)


def add_mlp(x: Tensor, normed: Tensor, block: Any) -> None:
    """Adds ``gamma_2 * mlp(normed)`` to contiguous tokens (B, N, C).

    Compilers would unroll the loop over the parts, so it is one operator in
    their graphs.
    """
    mlp, gamma = block.mlp, block.gamma_2
    graph = is_compiling()
    if packs(mlp.fc1, x):
        add_packed_mlp(x, normed, mlp)
        return
    add = torch.ops.mmuniformer.add_mlp if graph else add_mlp_in_parts
    add(
        x,
        normed,
        mlp.fc1.weight.flatten(1),
        mlp.fc1.bias,
        mlp.fc2.weight.flatten(1),
        mlp.fc2.bias,
        None if gamma is None else gamma.flatten(),
    )


def packs(layer: Any, x: Tensor) -> bool:
    """Whether a layer's weights are constant, and packed ones are faster."""
    return (
        getattr(layer, 'constant', False)
        and _is_linear(layer)
        and not is_compiling()
        and products.by_onednn(x)
    )


def add_packed_mlp(x: Tensor, normed: Tensor, mlp: Any) -> None:
    """Adds ``mlp(normed)`` to contiguous tokens (B, N, C), in parts."""
    first, last = products.pack(mlp.fc1), products.pack(mlp.fc2)
    for part, source in parts(x, normed):
        hidden = products.linear(source, first, mlp.fc1.bias, gelu=True)
        part += products.linear(hidden, last, mlp.fc2.bias)


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
    """
    for part, source in parts(x, normed):
        hidden = torch.mm(source, weight_1.t()).add_(bias_1)
        hidden = torch.ops.aten.gelu_(hidden)
        _add_product(part, hidden, weight_2, bias_2, gamma)


_LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
_LIBRARY.define(
    'add_mlp(Tensor(a!) x, Tensor normed, Tensor weight_1, Tensor bias_1, '
    'Tensor weight_2, Tensor bias_2, Tensor? gamma) -> ()'
)
_LIBRARY.impl('add_mlp', add_mlp_in_parts, 'CPU')
_LIBRARY.impl('add_mlp', lambda *_: None, 'Meta')
