"""The two residual blocks of UniFormer.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
Paper: UniFormer (arXiv 2201.09450), section 3. Parameter names and their
order are the official ones.
"""

from typing import Any

import torch
from torch import Tensor, nn

from .layers import LAYERS, POINTWISE, Attention, DropPath, Mlp
from .tokens import flatten, unflatten, window_join, window_split

# Tokens per CPU thread that go through an MLP at a time in inference: their
# hidden values then stay in the cache.
TOKENS_AT_A_TIME = 512


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
        conv = LAYERS[ndim].conv
        self.pos_embed = conv(dim, dim, 3, padding=1, groups=dim)
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
        if not eager_inference(self):
            return x + self.drop_path(scaled(self.mlp(normed), gamma))
        x = x.contiguous()
        rows, normed = x.view(-1, x.shape[-1]), normed.flatten(0, 1)
        size = len(rows)
        if x.device.type == 'cpu':
            size = TOKENS_AT_A_TIME * torch.get_num_threads()
        for row, part in zip(rows.split(size), normed.split(size)):
            add_product(row, self.mlp.hidden(part), self.mlp.fc2, gamma)
        return x


def eager_inference(module: nn.Module) -> bool:
    """Whether a module may change tensors in place, and work in parts."""
    return not (
        module.training
        or torch.is_grad_enabled()
        or torch.compiler.is_compiling()
        or torch.jit.is_tracing()
    )


def add_product(
    x: Tensor, hidden: Tensor, last: Any, gamma: Tensor | None
) -> Tensor:
    """Adds ``gamma * last(hidden)`` to tokens, in place.

    Where it can, it leaves the sum to the matrix product: one pass less.

    Args:
        x: Contiguous tokens (..., C).
        hidden: Tokens (..., C').
        last: Linear layer.
        gamma: Layer scale, or None.
    """
    plain = type(last) in POINTWISE.values() and not last._forward_hooks
    same = plain and x.dtype == hidden.dtype == last.weight.dtype
    if gamma is not None or not same:  # hooked, quantised or autocast
        return x.add_(scaled(last(hidden), gamma))
    rows = x.view(-1, x.shape[-1]).add_(last.bias)
    rows.addmm_(hidden.flatten(0, -2), last.weight.flatten(1).t())
    return x


def scaled(branch: Tensor, gamma: Tensor | None) -> Tensor:
    """A branch of tokens (..., C) times its layer scale, if there is one."""
    return branch if gamma is None else gamma.flatten() * branch


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
        self.attn = conv(dim, dim, 5, padding=2, groups=dim)
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
