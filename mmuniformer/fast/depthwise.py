"""Depth-wise convolutions whose backward pass is fast, and right, on CPUs.

Of clips in bfloat16 PyTorch 2.11 itself gives gradients of weights that are
not numbers, or off by their size.

Legend: B batch, C channels, *S = (H, W) or (T, H, W), *K kernel.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

from ..compat.old_torch import autocast_dtype
from ..models.tokens import to_channels_last
from . import depthwise_gpu
from .graphs import is_eager, takes_custom_code


def applies(layer: Any, x: Tensor) -> bool:
    """Whether a layer's call is to be computed by :func:`convolve`.

    For 3x3 kernels torch's own backward pass is as fast. On GPUs
    :mod:`.depthwise_gpu` computes clips.
    """
    if x.device.type == 'cuda':
        return depthwise_gpu.applies(layer, x)
    return (
        layer.kernel_size != (3, 3)
        and x.device.type == 'cpu'
        and torch.is_grad_enabled()
        and (takes_custom_code() or is_eager(x))
    )


def convolve(layer: Any, x: Tensor) -> Tensor:
    """The layer's ``forward``, (B, C, *S) -> (B, C, *S)."""
    if x.device.type == 'cuda':
        return depthwise_gpu.convolve(layer, x)
    tensors = x, layer.weight, layer.bias
    dtype = autocast_dtype('cpu')
    if dtype is None or x.dtype == torch.float64:
        return _Convolution.apply(*tensors)
    with torch.autocast('cpu', enabled=False):
        return _Convolution.apply(*(value.to(dtype) for value in tensors))


class _Convolution(torch.autograd.Function):
    """Convolution whose gradients are convolutions that are fast on CPUs.

    PyTorch's own backward pass takes 30 times as long as the forward pass
    for 5x5x5 kernels. Differentiable again, and under ``torch.func``.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        x: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        return _convolve(x, weight, bias)

    @staticmethod
    def setup_context(  # type: ignore[override]
        ctx: Any, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        need_x, need_weight, need_bias = ctx.needs_input_grad
        grad = to_channels_last(grad)
        places = tuple(range(2, grad.ndim))
        flipped = weight.flip(places)
        return (
            _convolve(grad, flipped, None) if need_x else None,
            weight_gradient(grad, x, weight) if need_weight else None,
            grad.sum((0, *places)) if need_bias else None,
        )


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    conv = F.conv2d if x.ndim == 4 else F.conv3d
    padding = weight.shape[-1] // 2
    return conv(x, weight, bias, padding=padding, groups=len(weight))


def weight_gradient(grad: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Gradient of the weights of a depth-wise convolution, (C, 1, *K).

    For clips one place of the kernel in time after another, as that of 2D
    convolutions; of kernels with five columns three at a time, since oneDNN
    is several times as fast then.

    Args:
        grad: Gradient of the output (B, C, *S).
        x: Input (B, C, *S).
        weight: Weights (C, 1, *K), a side of *K is 3 or 5.
    """
    if x.ndim == 4:
        maps = (value.unsqueeze(2) for value in (grad, x, weight))
        return weight_gradient(*maps).squeeze(2)
    total = x.shape[2]
    times, rows, cols = weight.shape[2:]
    out = torch.zeros_like(weight)
    grad, x = grad.movedim(1, -1), x.movedim(1, -1)
    for left in range(0, cols - 2, 2):
        right = cols - 3 - left
        part = F.pad(x, (0, 0, right, left)) if cols > 3 else x
        for time in range(times):
            shift = time - times // 2
            size = total - abs(shift)
            if size > 0:
                out[:, :, time, :, left : left + 3] = conv2d_weight(
                    _frames(part, max(shift, 0), size),
                    (len(weight), 1, rows, 3),
                    _frames(grad, max(-shift, 0), size),
                    padding=(rows // 2, int(cols == 3)),
                    groups=len(weight),
                )
    return out


def _frames(x: Tensor, first: int, count: int) -> Tensor:
    """Frames of clips (B, T, H, W, C) as images (B * count, C, H, W)."""
    x = x[:, first : first + count].flatten(0, 1)
    return x.contiguous().movedim(-1, 1)
