"""Exact re-parameterisation for inference: fewer operations, same outputs."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import options
from ..errors import UserError
from ..models.blocks import AttnBlock, Block, ConvBlock
from ..models.layers import ConvEmbed
from ..models.uniformer import UniFormer
from .products import PACKED


def fuse(model: nn.Module, head_multiple: int = 1) -> nn.Module:
    """Folds what inference computes needlessly, in place.

    In every UniFormer of the model: BatchNorm before a 1x1 convolution goes
    into this convolution, BatchNorm behind a convolution of an embedding
    into that one, and the layer scales into the projections before them.
    Outputs stay the same but for rounding; the weights are computed in
    float64.

    A fused model cannot be trained, and it does not load weights any more:
    load them first.

    Args:
        model: A UniFormer, or a whole model with one in it, in eval mode.
        head_multiple: Heads get zeros up to a multiple of so many channels:
            8, 16 or 32 for those of 28 channels (XXS), which the attention
            of a GPU pads in every call otherwise.

    Returns:
        The same model.

    Raises:
        UserError: No UniFormer in the model, or it is in training mode.
    """
    options.integer('head_multiple', head_multiple, 1)
    backbones = [m for m in model.modules() if isinstance(m, UniFormer)]
    if not backbones:
        raise UserError(
            f'model={type(model).__name__}: wanted a UniFormer, or a model '
            f'with one in it'
        )
    if any(backbone.training for backbone in backbones):
        raise UserError(
            'model is in training mode: wanted model.eval() before fuse; a '
            'fused model cannot be trained'
        )
    with torch.no_grad():
        for backbone in backbones:
            if not backbone.fused:
                _fuse_backbone(backbone, head_multiple)
    return model


def _fuse_backbone(backbone: UniFormer, head_multiple: int) -> None:
    backbone.fused = True
    for module in backbone.modules():
        if isinstance(module, Block):
            _fuse_block(module)
            if isinstance(module, AttnBlock):
                _pad_heads(module.attn, head_multiple)
        elif isinstance(module, ConvEmbed):
            _fuse_embedding(module.proj)


def _fuse_block(block: Any) -> None:
    if isinstance(block, ConvBlock):
        _into_next(block.norm1, block.conv1)
        _into_next(block.norm2, block.mlp.fc1)
        block.norm1 = block.norm2 = nn.Identity()
        last = block.conv2
    else:
        last = block.attn.proj
    if block.gamma_1 is not None:
        _scale(last, block.gamma_1.flatten())
        _scale(block.mlp.fc2, block.gamma_2.flatten())
    block.gamma_1 = block.gamma_2 = None
    # The products of inference may keep them packed.
    layers = [last, block.mlp.fc1, block.mlp.fc2]
    if not isinstance(block, ConvBlock):
        layers.append(block.attn.qkv)
    for layer in layers:
        layer.packing = PACKED


def _pad_heads(attn: Any, multiple: int) -> None:
    """Adds channels of zeros to query, key and value of each head."""
    heads, dim = attn.num_heads, attn.qkv.out_features // 3
    size = dim // heads
    added = -size % multiple
    if not added:
        return
    rows = attn.qkv.weight.double().view(3, heads, size, -1)
    bias = attn.qkv.bias.double().view(3, heads, size)
    # Attention divides by the root of the larger size then.
    rows[0] *= (1 + added / size) ** 0.5
    bias[0] *= (1 + added / size) ** 0.5
    columns = attn.proj.weight.view(-1, heads, size)
    rows = F.pad(rows, (0, 0, 0, added)).flatten(0, 2)
    for layer, weight, own in (
        (attn.qkv, rows, F.pad(bias, (0, added)).flatten()),
        (attn.proj, F.pad(columns, (0, added)).flatten(1), attn.proj.bias),
    ):
        layer.out_features, layer.in_features = weight.shape
        dtype = layer.weight.dtype
        layer.weight = nn.Parameter(
            weight.to(dtype), layer.weight.requires_grad
        )
        layer.bias = nn.Parameter(own.to(dtype), layer.bias.requires_grad)


def _affine(norm: Any) -> tuple[Tensor, Tensor]:
    """Factor and offset of a BatchNorm in eval mode, float64, (C,)."""
    factor = (norm.running_var.double() + norm.eps).rsqrt()
    factor = factor * norm.weight.double()
    return factor, norm.bias.double() - norm.running_mean.double() * factor


def _into_next(norm: Any, layer: Any) -> None:
    """Folds a norm into the 1x1 convolution that follows it."""
    factor, offset = _affine(norm)
    matrix = layer.weight.flatten(1).double()
    layer.bias.copy_(layer.bias.double() + matrix @ offset)
    layer.weight.copy_((matrix * factor).view_as(layer.weight))


def _scale(layer: Any, factor: Tensor, offset: Tensor | int = 0) -> None:
    """Scales and shifts what a layer puts out; factor and offset: (C,).

    The layer is linear or a convolution with bias.
    """
    factor = factor.double()
    matrix = layer.weight.flatten(1).double() * factor[:, None]
    layer.weight.copy_(matrix.view_as(layer.weight))
    layer.bias.copy_(layer.bias.double() * factor + offset)


def _fuse_embedding(layers: Any) -> None:
    """Folds each norm of an embedding into the convolution before it."""
    for i, norm in enumerate(layers):
        if hasattr(norm, 'running_var'):
            _scale(layers[i - 1], *_affine(norm))
            layers[i] = nn.Identity()
