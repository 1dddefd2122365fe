"""Layers that the blocks are made of, for images and for video.

Legend: B batch, C channels, N tokens, K heads, *S = (H, W) or (T, H, W).
Images and video differ in the classes of ``LAYERS`` and in the kernels and
strides of :func:`stem_geometry`.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..fast import clips, depthwise, recompute
from ..fast.attention import attend
from ..fast.products import linear
from .tokens import flatten, unflatten


class _Depthwise:
    """Depth-wise convolution that keeps the size; before torch's class.

    Args:
        dim: Channels C.
        kernel_size: Side of the kernel, odd.
    """

    def __init__(self, dim: int, kernel_size: int) -> None:
        padding = kernel_size // 2
        super().__init__(  # type: ignore[call-arg]
            dim, dim, kernel_size, padding=padding, groups=dim
        )

    def forward(self: Any, x: Tensor) -> Tensor:
        """(B, C, *S) -> (B, C, *S)."""
        if depthwise.applies(self, x):
            return depthwise.convolve(self, x)
        return super().forward(x)  # type: ignore[misc]


class DepthwiseConv2d(_Depthwise, nn.Conv2d):
    """Depth-wise convolution of images."""


class DepthwiseConv3d(_Depthwise, nn.Conv3d):
    """Depth-wise convolution of clips."""


class Conv3d(nn.Conv3d):
    """Convolution of clips."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, T, H, W) -> (B, C, T', H', W')."""
        if clips.applies(self, x):
            return clips.convolve(self, x)
        return super().forward(x)


class RankLayers(NamedTuple):
    """Layer classes for one number of spatial dimensions."""

    conv: Any
    norm: Any
    depthwise: Any


LAYERS = {
    2: RankLayers(nn.Conv2d, nn.BatchNorm2d, DepthwiseConv2d),
    3: RankLayers(Conv3d, nn.BatchNorm3d, DepthwiseConv3d),
}


class ConvGeometry(NamedTuple):
    """Kernel, stride and padding of one convolution."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]


# ((kernel, stride, padding) in time, the same in space) of each convolution
# of a stem, by kind; (stage 1, stages 2 to 4). Only the first stage strides
# in time. Official files: PatchEmbed, SpeicalPatchEmbed, head_embedding,
# middle_embedding.
STEMS = {
    'patch': ([((3, 2, 1), (4, 4, 0))], [((1, 1, 0), (2, 2, 0))]),
    'conv': (
        [((3, 1, 1), (3, 2, 1)), ((3, 2, 1), (3, 2, 1))],
        [((1, 1, 0), (3, 2, 1))],
    ),
}


def stem_geometry(ndim: int, stage: int, stem: str) -> list[ConvGeometry]:
    """Convolutions that lead into a stage.

    Args:
        ndim: 2 for images, 3 for video.
        stage: Stage, counted from 0.
        stem: A key of ``STEMS``.
    """
    return [
        ConvGeometry(*((t, s, s)[3 - ndim :] for t, s in zip(time, space)))
        for time, space in STEMS[stem][min(stage, 1)]
    ]


class DropPath(nn.Module):
    """Stochastic depth: drops a residual branch, one draw per sample.

    Source: Huang et al., Deep Networks with Stochastic Depth; the kept
    branches are divided by the keep probability.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Any shape (B, ...) in, the same shape out."""
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = x.new_empty(x.shape[:1] + (1,) * (x.ndim - 1))
        return x * mask.bernoulli_(keep).div_(keep)

    def extra_repr(self) -> str:
        """Shows the rate when the module is printed."""
        return f'rate={self.rate:.3f}'


def drop_path_rates(last: float, blocks: int) -> list[float]:
    """Rates that grow linearly from 0 to ``last``, one per block."""
    # In float32 as in the official code; of use on the meta device, too.
    return torch.linspace(0, last, blocks, device='cpu').tolist()


def pointwise(dim_in: int, dim_out: int, ndim: int) -> nn.Module:
    """A linear layer of the channels of maps, or of tokens (``ndim=0``)."""
    if ndim == 0:
        return nn.Linear(dim_in, dim_out)
    return LAYERS[ndim].conv(dim_in, dim_out, 1)


class Mlp(nn.Module):
    """Two linear layers with an exact GELU between them.

    Args:
        dim: Channels in and out.
        hidden_dim: Channels between the two layers.
        ndim: 2 or 3 for 1x1 convolutions of maps (B, C, *S), whose weights
            the official conv blocks have; 0 for tokens (B, N, C).
    """

    def __init__(self, dim: int, hidden_dim: int, ndim: int = 0) -> None:
        super().__init__()
        self.fc1 = pointwise(dim, hidden_dim, ndim)
        self.fc2 = pointwise(hidden_dim, dim, ndim)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        if recompute.applies(x):
            return recompute.mlp(self, x)
        return linear(self.fc2, F.gelu(linear(self.fc1, x)))


class Attention(nn.Module):
    """Multi-head self-attention over all tokens (paper, section 3.3).

    Args:
        dim: Channels in and out.
        num_heads: Heads K; each has ``dim / K`` channels.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, C) -> query, key and value, each (B, K, N, C / K)."""
        qkv: Any = linear(self.qkv, x)
        qkv = qkv.unflatten(-1, (3, self.num_heads, -1))
        return qkv.permute(2, 0, 3, 1, 4).unbind()

    def forward(self, x: Tensor) -> Any:
        """(B, N, C) -> (B, N, C)."""
        x = attend(*self.heads(x))
        return linear(self.proj, x.transpose(1, 2).flatten(2))


class ScoredAttention(Attention):
    """Self-attention that tells how much token 0 looks at every token."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, C) -> (B, N, C) and weights (B, N), at least float32.

        The weights are the first row of the softmax, averaged over the
        heads. Computed apart from the fused attention, that row costs next
        to nothing; products and a sum, which mixed precision leaves alone,
        keep its precision: the weights rank tokens.
        """
        query, key, value = self.heads(x)
        first = query[:, :, :1]
        first = first.to(torch.promote_types(first.dtype, torch.float32))
        logits = (first * key).sum(-1) * key.shape[-1] ** -0.5
        x = attend(query, key, value)
        x = linear(self.proj, x.transpose(1, 2).flatten(2))
        return x, logits.softmax(-1).mean(1)


class PatchEmbed(nn.Module):
    """Convolution without overlap, then LayerNorm over the channels.

    The norm is registered first: official state-dict order.
    """

    def __init__(
        self, in_channels: int, dim: int, geometry: ConvGeometry
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=1e-5)
        ndim = len(geometry.kernel_size)
        self.proj = LAYERS[ndim].conv(in_channels, dim, *geometry)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, *S) -> (B, C, *S / stride), floored."""
        x = self.proj(x)
        return unflatten(self.norm(flatten(x)), x.shape)


class ConvEmbed(nn.Module):
    """Strided 3x3 convolutions with BatchNorm (S+ and the light models).

    Two convolutions with a GELU between them lead into the first stage
    (``head_embedding`` of the official code), one into the others
    (``middle_embedding``).
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        geometries: list[ConvGeometry],
    ) -> None:
        super().__init__()
        conv, norm, _ = LAYERS[len(geometries[0].kernel_size)]
        layers: list[nn.Module] = []
        for geometry in geometries:
            width = dim if geometry is geometries[-1] else dim // 2
            layers += [conv(in_channels, width, *geometry), norm(width)]
            layers += [nn.GELU()]
            in_channels = width
        self.proj = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, *S) -> (B, C, *S / stride), in the weights' dtype.

        In mixed precision BatchNorm leaves the map in half of it; the blocks
        add all their branches to this map, as to those behind a LayerNorm.
        """
        return self.proj(x).to(self.proj[0].weight.dtype)


def build_stem(
    ndim: int, stage: int, stem: str, in_channels: int, dim: int
) -> nn.Module:
    """Embedding that leads into a stage; see :func:`stem_geometry`."""
    geometries = stem_geometry(ndim, stage, stem)
    if stem == 'patch':
        return PatchEmbed(in_channels, dim, geometries[0])
    return ConvEmbed(in_channels, dim, geometries)


class MapLayerNorm(nn.LayerNorm):
    """LayerNorm over the channels of a map (B, C, *S)."""

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        return unflatten(super().forward(flatten(x)), x.shape)
