"""The two residual blocks of UniFormer.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
Paper: UniFormer (arXiv 2201.09450), section 3. Parameter names and their
order are the official ones.
"""

import torch
from torch import Tensor, nn

from ..fast.depthwise import DEPTHWISE
from ..fast.inference import (
    add_mlp,
    add_product,
    compiled_inference,
    eager_inference,
    scaled,
)
from .layers import LAYERS, POINTWISE, Attention, DropPath, Mlp
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
        self.pos_embed = DEPTHWISE[ndim](dim, 3)
        self.drop_path = DropPath(drop_path_rate)
        self.fused = False  # see fusion.fuse

    def embed_position(self, x: Tensor) -> Tensor:
        """Adds the position embedding to a map; gives a new tensor."""
        return self.pos_embed(x) if self.fused else x + self.pos_embed(x)

    def residual(
        self,
        x: Tensor,
        hidden: Tensor,
        last: nn.Module,
        gamma: nn.Parameter | None,
    ) -> Tensor:
        """Adds a branch to tokens: scaled first, then dropped or not.

        Args:
            x: Tokens (..., C); eager inference may change them in place.
            hidden: Tokens (..., C') before the last layer of the branch.
            last: That layer, linear.
            gamma: Layer scale of the branch, or None.
        """
        if eager_inference(self):
            return add_product(x.contiguous(), hidden, last, gamma)
        return x + self.drop_path(scaled(last(hidden), gamma))

    def residual_mlp(self, x: Tensor, normed: Tensor) -> Tensor:
        """Adds the MLP of ``normed``; both are tokens (B, N, C)."""
        gamma = self.gamma_2
        if eager_inference(self) or compiled_inference(self):
            return add_mlp(x, normed, self.mlp, gamma)
        return x + self.drop_path(scaled(self.mlp(normed), gamma))


class ConvBlock(Block):
    """Local affinity by convolutions: stages 1 and 2 (``CBlock``).

    Args:
        dim: Channels C.
        ndim: 2 for images, 3 for video.
        mlp_ratio: Hidden channels of the MLP, in multiples of C.
        drop_path_rate: Probability to drop a branch, per sample.
        layer_scale_init_value: First value of the layer scales; 0 for none.
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
        conv, norm = LAYERS[ndim]
        self.norm1 = norm(dim)
        self.conv1 = conv(dim, dim, 1)
        self.conv2 = POINTWISE[ndim](dim, dim)
        self.attn = DEPTHWISE[ndim](dim, 5)
        self.norm2 = norm(dim)
        self.mlp = Mlp(dim, int(dim * mlp_ratio), ndim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *S) -> (B, C, *S)."""
        x = self.embed_position(x)
        shape = x.shape
        local = flatten(self.attn(self.conv1(self.norm1(x))))
        x = self.residual(flatten(x), local, self.conv2, self.gamma_1)
        normed = flatten(self.norm2(unflatten(x, shape)))
        return unflatten(self.residual_mlp(x, normed), shape)


class AttnBlock(Block):
    """Global affinity by self-attention: stages 3 and 4 (``SABlock``).

    Args:
        dim: Channels C.
        ndim: 2 for images, 3 for video.
        num_heads: Attention heads.
        mlp_ratio: Hidden channels of the MLP, in multiples of C.
        drop_path_rate: Probability to drop a branch, per sample.
        layer_scale_init_value: First value of the layer scales; 0 for none.
        window_size: Side of the windows in which attention is computed, in
            tokens (``SABlock_Windows``); 0 for the whole map.
    """

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
        self.attn = Attention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *S) -> (B, C, *S)."""
        x = self.embed_position(x)
        shape = x.shape
        x = flatten(x)
        mixed = self.attend(x, shape)
        x = self.residual(x, mixed, self.attn.proj, self.gamma_1)
        return unflatten(self.residual_mlp(x, self.norm2(x)), shape)

    def attend(self, x: Tensor, shape: torch.Size) -> Tensor:
        """Attention, (B, N, C) -> (B, N, C); ``shape``: (B, C, *S)."""
        x = self.norm1(x)
        if not self.window_size:
            return self.attn.mix(x)
        windows = window_split(unflatten(x, shape), self.window_size)
        windows = self.attn.mix(windows)
        return flatten(window_join(windows, self.window_size, shape))
