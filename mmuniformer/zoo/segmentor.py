"""UPerNet and Semantic FPN, with PyTorch and mmengine alone.

Legend: B batch, C channels, K classes. Tensors have the names that they have
in mmsegmentation, so that its files and the authors' load. For inference: the
auxiliary head that only training needs is left out.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNorm(nn.Module):
    """Convolution, BatchNorm and ReLU."""

    def __init__(self, dim_in: int, dim: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            dim_in, dim, kernel, padding=kernel // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C, H, W)."""
        return F.relu(self.bn(self.conv(x)))


class UPerHead(nn.Module):
    """Unified Perceptual Parsing (arXiv 1807.10221).

    Args:
        dims: Channels of the four maps, the finest first.
        channels: Channels inside.
        num_classes: Classes K.
        pool_scales: Sides of the pooled maps.
    """

    def __init__(
        self,
        dims: Sequence[int],
        channels: int,
        num_classes: int,
        pool_scales: Sequence[int] = (1, 2, 3, 6),
    ) -> None:
        super().__init__()
        self.psp_modules = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(scale), ConvNorm(dims[-1], channels, 1)
            )
            for scale in pool_scales
        )
        pooled = dims[-1] + len(pool_scales) * channels
        self.bottleneck = ConvNorm(pooled, channels, 3)
        self.lateral_convs = nn.ModuleList(
            ConvNorm(dim, channels, 1) for dim in dims[:-1]
        )
        self.fpn_convs = nn.ModuleList(
            ConvNorm(channels, channels, 3) for _ in dims[:-1]
        )
        self.fpn_bottleneck = ConvNorm(len(dims) * channels, channels, 3)
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Four maps (B, C, H, W) -> logits (B, K, H, W) of the finest."""
        top = maps[-1]
        pooled = [resize(pool(top), top) for pool in self.psp_modules]
        x = self.bottleneck(torch.cat([top, *pooled], 1))
        outs = [x]
        for i in reversed(range(len(self.lateral_convs))):
            lateral = self.lateral_convs[i](maps[i])
            x = lateral + resize(x, lateral)
            outs.append(self.fpn_convs[i](x))
        outs = [resize(out, x) for out in reversed(outs)]
        return self.conv_seg(self.fpn_bottleneck(torch.cat(outs, 1)))


class FPNHead(nn.Module):
    """A feature pyramid (arXiv 1612.03144) and the head of Semantic FPN.

    Source of the head: Panoptic Feature Pyramid Networks (arXiv 1901.02446).

    Args:
        channels_in: Channels of the pyramid.
        channels: Channels inside.
        num_classes: Classes K.
    """

    def __init__(
        self, channels_in: int, channels: int, num_classes: int
    ) -> None:
        super().__init__()
        self.scale_heads = nn.ModuleList()
        for level in range(4):
            layers: list[nn.Module] = []
            for i in range(max(1, level)):
                dim_in = channels if i else channels_in
                layers.append(ConvNorm(dim_in, channels, 3))
                if level:
                    layers.append(nn.Upsample(scale_factor=2, mode='bilinear'))
            self.scale_heads.append(nn.Sequential(*layers))
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Four maps (B, C, H, W) -> logits (B, K, H, W) of the finest."""
        x = self.scale_heads[0](maps[0])
        for head, level in zip(self.scale_heads[1:], maps[1:]):
            x = x + resize(head(level), x)
        return self.conv_seg(x)


class ConvOnly(nn.Module):
    """A convolution by the name that mmcv gives it."""

    def __init__(self, dim_in: int, dim: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim_in, dim, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C, H, W)."""
        return self.conv(x)


class FPN(nn.Module):
    """Feature pyramid of four maps.

    Args:
        dims: Channels of the maps, the finest first.
        channels: Channels of the pyramid.
    """

    def __init__(self, dims: Sequence[int], channels: int) -> None:
        super().__init__()
        self.lateral_convs = nn.ModuleList(
            ConvOnly(dim, channels, 1) for dim in dims
        )
        self.fpn_convs = nn.ModuleList(
            ConvOnly(channels, channels, 3) for _ in dims
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Four maps (B, C, H, W) -> four of equal channels."""
        outs = [conv(m) for conv, m in zip(self.lateral_convs, maps)]
        for i in (2, 1, 0):
            size = outs[i].shape[2:]
            outs[i] = outs[i] + F.interpolate(outs[i + 1], size)
        return [conv(out) for conv, out in zip(self.fpn_convs, outs)]


class Segmentor(nn.Module):
    """Labels of pixels.

    Args:
        backbone: A UniFormer that returns four normalised maps.
        decode_head: From maps to logits.
        neck: From maps to maps, or None.
    """

    def __init__(
        self,
        backbone: Any,
        decode_head: Any,
        neck: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        if neck is not None:
            self.neck = neck
        self.decode_head = decode_head
        self.feature_info = backbone.feature_info
        self.num_classes = decode_head.conv_seg.out_channels

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Has the backward pass compute the blocks again, to save memory."""
        self.backbone.set_grad_checkpointing(enable)

    def forward_features(self, x: Tensor) -> Any:
        """(B, 3, H, W) -> four maps."""
        maps = self.backbone(x)
        return self.neck(maps) if hasattr(self, 'neck') else maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> logits (B, K, H, W), of all pixels."""
        return resize(self.decode_head(self.forward_features(x)), x)


def resize(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear resizing to the height and width of another map."""
    return F.interpolate(x, like.shape[2:], mode='bilinear')
