"""The two residual blocks of UniFormer, and a stage of blocks.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
Paper: UniFormer (arXiv 2201.09450), section 3. Parameter names and their
order are the official ones.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..fast import inference as fast
from ..fast import recompute
from ..fast.products import linear
from .layers import LAYERS, Attention, DropPath, Mlp, pointwise
from .tokens import flatten, unflatten, window_join, window_split


class Block(nn.Module):
    """What all blocks share: position embedding and residual branches.

    Args:
        dim: Channels C.
        ndim: 2 for images, 3 for video.
        drop_path_rate: Probability to drop a branch, per sample.
        gamma_shape: Shape of the layer scales.
        layer_scale_init_value: First value of the layer scales; 0 for none.
    """

    mlp: Mlp

    def __init__(
        self,
        dim: int,
        ndim: int,
        drop_path_rate: float,
        gamma_shape: tuple[int, ...],
        layer_scale_init_value: float,
    ) -> None:
        super().__init__()
        self.gamma_1 = self.gamma_2 = None
        if layer_scale_init_value:
            scale = torch.full(gamma_shape, float(layer_scale_init_value))
            self.gamma_1 = nn.Parameter(scale)
            self.gamma_2 = nn.Parameter(scale.clone())
        self.pos_embed = LAYERS[ndim].depthwise(dim, 3)
        self.drop_path = DropPath(drop_path_rate)

    def add(self, x: Tensor, branch: Tensor, gamma: Tensor | None) -> Tensor:
        """Residual sum: the branch is scaled first, then dropped or not."""
        return x + self.drop_path(scaled(branch, gamma))


def scaled(branch: Tensor, gamma: Tensor | None) -> Tensor:
    """A branch times its layer scale, if there is one."""
    return branch if gamma is None else gamma * branch


class ConvBlock(Block):
    """Local affinity by convolutions: stages 1 and 2 (``CBlock``).

    Args:
        mlp_ratio: Hidden channels of the MLP, in multiples of C. The other
            arguments are those of :class:`Block`.
    """

    def __init__(
        self,
        dim: int,
        ndim: int,
        mlp_ratio: float,
        drop_path_rate: float,
        layer_scale_init_value: float,
    ) -> None:
        shape = (1, dim) + (1,) * ndim
        super().__init__(
            dim, ndim, drop_path_rate, shape, layer_scale_init_value
        )
        _, norm, depthwise = LAYERS[ndim]
        self.norm1 = norm(dim)
        self.conv1 = pointwise(dim, dim, ndim)
        self.conv2 = pointwise(dim, dim, ndim)
        self.attn = depthwise(dim, 5)
        self.norm2 = norm(dim)
        self.mlp = Mlp(dim, int(dim * mlp_ratio), ndim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *S) -> (B, C, *S)."""
        if fast.applies(self, x):
            return fast.conv_block(self, x)
        x = x + self.pos_embed(x)
        local = self.attn(linear(self.conv1, self.norm1(x)))
        local = linear(self.conv2, local)
        x = self.add(x, local, self.gamma_1)
        return self.add(x, self.mlp(self.norm2(x)), self.gamma_2)


class AttnBlock(Block):
    """Global affinity by self-attention: stages 3 and 4 (``SABlock``).

    Args:
        num_heads: Attention heads.
        mlp_ratio: As of :class:`ConvBlock`; the other arguments, but for the
            last, are those of :class:`Block`.
        window_size: Side of the windows in which attention is computed, in
            tokens (``SABlock_Windows``); 0 for the whole map.
    """

    attention: type[Attention] = Attention

    def __init__(
        self,
        dim: int,
        ndim: int,
        num_heads: int,
        mlp_ratio: float,
        drop_path_rate: float,
        layer_scale_init_value: float,
        window_size: int = 0,
    ) -> None:
        super().__init__(
            dim, ndim, drop_path_rate, (dim,), layer_scale_init_value
        )
        self.window_size = window_size
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = self.attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *S) -> (B, C, *S)."""
        if fast.applies(self, x):
            return fast.attn_block(self, x)
        x = x + self.pos_embed(x)
        shape = x.shape
        x = flatten(x)
        x = self.add(x, self.attend(self.norm1(x), shape), self.gamma_1)
        x = self.add(x, self.mlp(self.norm2(x)), self.gamma_2)
        return unflatten(x, shape)

    def attend(self, x: Tensor, shape: torch.Size) -> Tensor:
        """Attention, (B, N, C) -> (B, N, C); ``shape``: (B, C, *S)."""
        if not self.window_size:
            return self.attn(x)
        windows = window_split(unflatten(x, shape), self.window_size)
        windows = self.attn(windows)
        return flatten(window_join(windows, self.window_size, shape))


class Stage(nn.Sequential):
    """Blocks, one after another.

    Attributes:
        recomputed: How many of them, from the first on, are computed again
            in the backward pass, which saves memory.
    """

    recomputed = 0

    def forward(self, x: Any) -> Any:
        """What a block takes in, what a block gives out."""
        for i, block in enumerate(self):
            if self.training and i < self.recomputed:
                x = recompute.block(block, x)
            else:
                x = block(x)
        return x
