"""UniFormer computed the way the authors' files do, to compare speeds with.

A rendering of recipes and papers for the benchmark alone: attention matrices
stored, maps channels-first, BatchNorm as it is, tokens of the light models
sorted and restored as a whole. Weights are those of the backbone that is
rendered, so both give the same outputs.

Legend: B batch, C channels, N tokens, K heads, *S = (H, W) or (T, H, W).
"""

from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.blocks import AttnBlock, ConvBlock
from ..models.layers import ConvEmbed
from ..models.uniformer import UniFormer

TRADE_OFF = 0.5


def to_tokens(x: Tensor) -> Tensor:
    """(B, C, *S) -> (B, N, C)."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, shape: torch.Size) -> Tensor:
    """(B, N, C) -> (B, C, *S), channels first in memory, too."""
    return tokens.transpose(1, 2).reshape(shape).contiguous()


def scaled(x: Tensor, gamma: Tensor | None) -> Tensor:
    """A branch times its layer scale, if there is one."""
    return x if gamma is None else gamma * x


def attention(attn: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """(B, N, C) -> (B, N, C) and the attention matrix (B, K, N, N)."""
    b, n, c = x.shape
    qkv = attn.qkv(x).reshape(b, n, 3, attn.num_heads, c // attn.num_heads)
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    scale = (c // attn.num_heads) ** -0.5
    matrix = ((query @ key.transpose(-2, -1)) * scale).softmax(-1)
    x = (matrix @ value).transpose(1, 2).reshape(b, n, c)
    return attn.proj(x), matrix


def layer(module: Any, x: Tensor) -> Tensor:
    """Linear layer of tokens, or convolution of a map with stride 1."""
    if isinstance(module, nn.Linear):
        return module(x)
    conv = F.conv2d if x.ndim == 4 else F.conv3d
    return conv(
        x,
        module.weight,
        module.bias,
        padding=module.padding,
        groups=module.groups,
    )


def mlp(module: Any, x: Tensor) -> Tensor:
    """Two layers with a GELU between them."""
    return layer(module.fc2, F.gelu(layer(module.fc1, x)))


def embed(module: Any, x: Tensor) -> Tensor:
    """Embedding that leads into a stage."""
    if isinstance(module, ConvEmbed):
        return module.proj(x)
    x = module.proj(x)
    return to_map(module.norm(to_tokens(x)), x.shape)


def conv_block(block: Any, x: Tensor) -> Tensor:
    """Block of stages 1 and 2, (B, C, *S) -> (B, C, *S)."""
    x = x + layer(block.pos_embed, x)
    local = layer(block.attn, block.conv1(block.norm1(x)))
    local = layer(block.conv2, local)
    x = x + block.drop_path(scaled(local, block.gamma_1))
    branch = mlp(block.mlp, block.norm2(x))
    return x + block.drop_path(scaled(branch, block.gamma_2))


def windowed(block: Any, x: Tensor, shape: torch.Size) -> Tensor:
    """Attention in windows, (B, N, C) -> (B, N, C)."""
    side, (height, width) = block.window_size, shape[2:]
    b, _, c = x.shape
    x = x.reshape(b, height, width, c)
    x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
    rows, cols = x.shape[1] // side, x.shape[2] // side
    x = x.reshape(b, rows, side, cols, side, c).permute(0, 1, 3, 2, 4, 5)
    x = attention(block.attn, x.reshape(-1, side * side, c))[0]
    x = x.reshape(b, rows, cols, side, side, c).permute(0, 1, 3, 2, 4, 5)
    x = x.reshape(b, rows * side, cols * side, c)
    return x[:, :height, :width].reshape(b, height * width, c)


def attn_block(block: Any, x: Tensor) -> Tensor:
    """Block of stages 3 and 4, (B, C, *S) -> (B, C, *S)."""
    x = x + layer(block.pos_embed, x)
    shape = x.shape
    x = to_tokens(x)
    normed = block.norm1(x)
    if block.window_size:
        branch = windowed(block, normed, shape)
    else:
        branch = attention(block.attn, normed)[0]
    x = x + block.drop_path(scaled(branch, block.gamma_1))
    branch = mlp(block.mlp, block.norm2(x))
    x = x + block.drop_path(scaled(branch, block.gamma_2))
    return to_map(x, shape)


def mixed(block: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, scores by the class token and what the last token was added."""
    branch, matrix = attention(block.attn, block.norm1(x))
    first = scaled(branch, block.gamma_1)
    x = x + block.drop_path(first)
    second = scaled(mlp(block.mlp, block.norm2(x)), block.gamma_2)
    x = x + block.drop_path(second)
    return x, matrix[:, :, 0, 1:].mean(1), (first + second)[:, -1:]


def pick(rows: Tensor, index: Tensor) -> Tensor:
    """Rows (B, N, C) in the order of an index (B, N)."""
    b, n, c = rows.shape
    start = torch.arange(b, device=rows.device)[:, None] * n
    return rows.reshape(b * n, c)[(index + start).flatten()].view(b, n, c)


def light_block(
    block: Any, x: Tensor, cls_token: Tensor, scores: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Block of the light models: sort all tokens, restore all of them."""
    x = x + layer(block.pos_embed, x)
    shape = x.shape
    x = to_tokens(x)
    if scores is None or block.keep_ratio == 1:
        tokens, looks, _ = mixed(block, torch.cat([cls_token, x], 1))
        cls_token, x = tokens[:, :1], tokens[:, 1:]
        return to_map(x, shape), cls_token, looks
    count = x.shape[1]
    kept = int(count * block.keep_ratio)
    order = scores.argsort(1, descending=True)
    place = torch.arange(count, device=x.device).expand(len(x), -1)
    # Feature, score and place travel together through gather and restore.
    rows = torch.cat([x, scores[..., None], place[..., None].to(x.dtype)], 2)
    rows = pick(rows, order)
    x, scores, place = rows[..., :-2], rows[..., -2], rows[..., -1]
    weights = scores[:, kept:] / scores[:, kept:].sum(1, keepdim=True)
    merged = (x[:, kept:] * weights[..., None]).sum(1, keepdim=True)
    tokens, looks, update = mixed(
        block, torch.cat([cls_token, x[:, :kept], merged], 1)
    )
    new = (1 - TRADE_OFF) * scores[:, :kept] + TRADE_OFF * looks[:, :kept]
    scores = torch.cat([new, scores[:, kept:]], 1)
    cls_token, rest = tokens[:, :1], x[:, kept:] + update
    x = torch.cat([tokens[:, 1:-1], rest], 1)
    x = pick(
        torch.cat([x, scores[..., None], place[..., None]], 2),
        place.argsort(1),
    )
    return to_map(x[..., :-2], shape), cls_token, x[..., -2]


class PlainUniFormer(nn.Module):
    """A backbone of mmuniformer in the authors' formulation.

    Args:
        backbone: The backbone to render; it is copied.
    """

    def __init__(self, backbone: UniFormer) -> None:
        super().__init__()
        self.net = deepcopy(backbone).to(memory_format=torch.contiguous_format)

    def forward(self, x: Tensor) -> Any:
        """What the backbone returns, from (B, C_in, *S)."""
        net: Any = self.net
        light = hasattr(net, 'cls_token')
        cls_token: Any = None
        scores: Any = None
        outs: list[Any] = []
        for i in range(4):
            if light and i == 2:
                cls_token = net.cls_token.expand(len(x), -1, -1)
            if light and i == 3:
                cls_token = net.cls_upsample(cls_token)
                scores = pooled(scores, x.shape)
            x = embed(getattr(net, f'patch_embed{i + 1}'), x)
            for block in getattr(net, f'blocks{i + 1}'):
                if isinstance(block, ConvBlock):
                    x = conv_block(block, x)
                elif isinstance(block, AttnBlock):
                    x = attn_block(block, x)
                else:
                    x, cls_token, scores = light_block(
                        block, x, cls_token, scores
                    )
            if i in net.out_indices:
                outs.append(self.emit(i, x))
        if getattr(net, 'with_cls_token', False):
            outs[-1] = outs[-1], net.norm_cls(cls_token[:, 0])
        return outs[0] if net.returns_tensor else tuple(outs)

    def emit(self, stage: int, x: Tensor) -> Tensor:
        """The map to return for a stage."""
        if self.net.dense:
            norm = getattr(self.net, f'norm{stage + 1}')
            tokens = F.layer_norm(
                to_tokens(x), norm.normalized_shape, norm.weight, norm.bias,
                norm.eps,
            )  # fmt: skip
            return to_map(tokens, x.shape)
        return self.net.norm(x) if stage == 3 else x


def pooled(scores: Tensor, shape: torch.Size) -> Tensor:
    """Scores (B, N) of a map (B, C, *S) after a pooling of 2 x 2."""
    maps = scores.reshape(shape[0], 1, *shape[2:])
    if len(shape) == 4:
        maps = F.avg_pool2d(maps, 2)
    else:
        maps = F.avg_pool3d(maps, (1, 2, 2))
    maps = maps.flatten(1)
    total = scores.sum(1, keepdim=True)
    return maps * (total / maps.sum(1, keepdim=True))
