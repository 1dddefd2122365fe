"""Convolutions of one clip, on CPUs.

Of a batch of one that is small PyTorch computes them by a kernel of its own
(``use_mkldnn`` of its Convolution.cpp), two to six times as long as oneDNN.
"""

from typing import Any

import torch
from torch import Tensor

from .graphs import cpu_autocast, is_eager
from .products import has_onednn


def applies(conv: Any, x: Tensor) -> bool:
    """Whether :func:`convolve` is to compute a convolution of ``x``."""
    return (
        x.ndim == 5
        and len(x) == 1
        and x.device.type == 'cpu'
        and x.dtype == conv.weight.dtype == torch.float32
        and not (torch.is_grad_enabled() or cpu_autocast())
        and is_eager(x)
        and x.numel() > 0
        and has_onednn()
    )


def convolve(conv: Any, x: Tensor) -> Tensor:
    """(1, C, T, H, W) -> (1, C', T', H', W')."""
    return torch.mkldnn_convolution(
        x,
        conv.weight,
        conv.bias,
        conv.padding,
        conv.stride,
        conv.dilation,
        conv.groups,
    )
