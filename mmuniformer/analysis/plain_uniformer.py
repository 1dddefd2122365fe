"""UniFormer computed the way the authors' files do, to compare speeds with.

What differs from our modules is overridden, and nothing else: attention
matrices are stored, maps are channels-first, GELU's output is kept, tokens of
the light models are sorted and restored as a whole. Weights are those of the
backbone that is rendered, so both give the same outputs.

Legend: B batch, C channels, N tokens, K heads.
"""

from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models import layers
from ..models.blocks import Block
from ..models.uniformer import UniFormer
from ..models.uniformer_light import TRADE_OFF, LightBlock


class PlainMlp(layers.Mlp):
    """Keeps all that a backward pass asks for."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        return self.fc2(F.gelu(self.fc1(x)))


class PlainAttention(layers.Attention):
    """Stores the attention matrix."""

    def forward(self, x: Tensor) -> Any:
        """(B, N, C) -> (B, N, C)."""
        return self.with_matrix(x)[0]

    def with_matrix(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, C) -> (B, N, C) and the attention matrix (B, K, N, N)."""
        query, key, value = self.heads(x)
        scale = key.shape[-1] ** -0.5
        matrix = ((query @ key.transpose(-2, -1)) * scale).softmax(-1)
        x = (matrix @ value).transpose(1, 2).flatten(2)
        return self.proj(x), matrix


class PlainScoredAttention(PlainAttention):
    """Takes the scores from the stored matrix."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, C) -> (B, N, C) and the weights of token 0 (B, N)."""
        x, matrix = self.with_matrix(x)
        return x, matrix[:, :, 0].mean(1)


class PlainLightBlock(LightBlock):
    """Sorts all tokens and restores all of them."""

    def prune(
        self, x: Tensor, cls_token: Tensor, scores: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, N, C), class token and scores (B, N), the same."""
        count = x.shape[1]
        kept = int(count * self.keep_ratio)
        order = scores.argsort(1, descending=True)
        place = torch.arange(count, device=x.device).expand(len(x), -1)
        # Feature, score and place travel together, there and back.
        parts = [x, scores[..., None], place[..., None].to(x.dtype)]
        rows = pick(torch.cat(parts, 2), order)
        x, scores, place = rows[..., :-2], rows[..., -2], rows[..., -1]
        weights = scores[:, kept:] / scores[:, kept:].sum(1, keepdim=True)
        merged = (x[:, kept:] * weights[..., None]).sum(1, keepdim=True)
        tokens, looks, update = self.mix(
            torch.cat([cls_token, x[:, :kept], merged], 1)
        )
        # The authors keep a lone dropped token's new score, too.
        scored = count if kept == count - 1 else kept
        old, new = scores[:, :scored], looks[:, 1 : scored + 1]
        new = (1 - TRADE_OFF) * old + TRADE_OFF * new
        scores = torch.cat([new, scores[:, scored:]], 1)
        x = torch.cat([tokens[:, 1:-1], x[:, kept:] + update], 1)
        rows = torch.cat([x, scores[..., None], place[..., None]], 2)
        rows = pick(rows, place.argsort(1))
        return rows[..., :-2], tokens[:, :1], rows[..., -2]


def pick(rows: Tensor, index: Tensor) -> Tensor:
    """Rows (B, N, C) in the order of an index (B, N)."""
    b, n, c = rows.shape
    start = torch.arange(b, device=rows.device)[:, None] * n
    return rows.reshape(b * n, c)[(index + start).flatten()].view(b, n, c)


PLAIN = {
    layers.Mlp: PlainMlp,
    layers.Attention: PlainAttention,
    layers.ScoredAttention: PlainScoredAttention,
    layers.DepthwiseConv2d: nn.Conv2d,
    layers.Conv3d: nn.Conv3d,
    layers.DepthwiseConv3d: nn.Conv3d,
    LightBlock: PlainLightBlock,
}


def channels_first(block: nn.Module, inputs: Any) -> Any:
    """A hook that gives a block its map channels-first.

    Blocks that are hooked are computed by their own formulas.
    """
    (x,) = inputs
    if isinstance(x, tuple):
        return ((x[0].contiguous(), *x[1:]),)
    return (x.contiguous(),)


def render(module: Any) -> Any:
    """A copy of a backbone, or of a part, in the authors' formulation."""
    module = deepcopy(module).to(memory_format=torch.contiguous_format)
    for part in module.modules():
        part.__class__ = PLAIN.get(type(part), type(part))
        if isinstance(part, Block):
            part.register_forward_pre_hook(channels_first)
    return module


class PlainUniFormer(nn.Module):
    """A backbone of mmuniformer in the authors' formulation.

    Args:
        backbone: The backbone to render; it is copied.
    """

    def __init__(self, backbone: UniFormer) -> None:
        super().__init__()
        self.net = render(backbone)

    def forward(self, x: Tensor) -> Any:
        """What the backbone returns, from (B, C_in, *S)."""
        return self.net(x)
