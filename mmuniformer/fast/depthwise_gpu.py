"""Depth-wise convolutions of clips on GPUs, by Triton.

cuDNN computes them as dense products, tens of times as long. Those of images
it has kernels for, to which they are left. ``MMUNIFORMER_TRITON=off`` leaves
all to cuDNN.

Legend: B batch, C channels, *S = (T, H, W), *K kernel.
"""

import logging
import os
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..compat.old_torch import HAS_CUSTOM_OPS, autocast_dtype
from ..errors import UserError
from ..models.tokens import to_channels_last
from .graphs import assume_constant_result, is_eager, takes_custom_code

VARIABLE = 'MMUNIFORMER_TRITON'
DTYPES = (torch.bfloat16, torch.float16, torch.float32)
# The kernels count pixels in 32 bits.
MOST_PIXELS = 2**31


def applies(layer: Any, x: Tensor) -> bool:
    """Whether :func:`convolve` is to compute a layer's call."""
    return (
        x.ndim == 5
        and x.dtype in DTYPES
        and set(layer.kernel_size) in ({3}, {5})
        and (takes_custom_code() or is_eager(x))
        and 0 < x.numel() < MOST_PIXELS * x.shape[1]
        and is_ready(x.device.index)
    )


@assume_constant_result
def is_ready(index: int) -> bool:
    """Whether a GPU, by its number, runs the kernels.

    Raises:
        UserError: The environment variable is not 'on', 'off' or empty.
    """
    wish = os.environ.get(VARIABLE, '')
    if wish not in ('', 'on', 'off'):
        raise UserError(f'{VARIABLE}={wish!r}: wanted on or off')
    return wish != 'off' and HAS_CUSTOM_OPS and kernels(index) is not None


@cache
def kernels(index: int) -> Any:
    """The module of the kernels, or None where they do not work.

    They are tried once on a GPU; a warning says why they do not work.
    """
    try:
        from . import depthwise_triton
    except ImportError:  # no Triton
        return None
    try:
        with torch.cuda.device(index):
            x = torch.ones(1, 8, 1, 1, 1, device='cuda')
            depthwise_triton.convolve(
                x, x.new_ones(8, 1, 3, 3, 3), x[0, :, 0, 0, 0]
            )
    except Exception as error:  # no C compiler, an old card: of many kinds
        logging.getLogger('mmuniformer').warning(
            'cuDNN computes depth-wise convolutions of clips, slowly: Triton '
            'does not work (%s: %s)', type(error).__name__, str(error)[:300]
        )  # fmt: skip
        return None
    return depthwise_triton


def convolve(layer: Any, x: Tensor) -> Tensor:
    """The layer's ``forward``, (B, C, *S) -> (B, C, *S).

    Products are of the dtype that autocast chooses, sums in float32.
    """
    x = x.to(autocast_dtype('cuda') or x.dtype)
    return torch.ops.mmuniformer.depthwise(x, layer.weight, layer.bias)


def _forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    with torch.cuda.device(x.device):
        own = kernels(x.device.index)
        return own.convolve(to_channels_last(x), weight, bias)


def _gradients(
    grad: Tensor, x: Tensor, weight: Tensor, of_x: bool
) -> tuple[Tensor, Tensor, Tensor]:
    grad, x = to_channels_last(grad), to_channels_last(x)
    with torch.cuda.device(x.device):
        own = kernels(x.device.index)
        back = x.new_empty(0)
        if of_x:
            back = own.convolve(grad, weight, None, flipped=True)
        return back, *own.gradients(grad, x, weight)


def _empty(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.empty_like(x, memory_format=torch.channels_last_3d)


def _empty_gradients(
    grad: Tensor, x: Tensor, weight: Tensor, of_x: bool
) -> tuple[Tensor, Tensor, Tensor]:
    back = _empty(x, weight, weight) if of_x else x.new_empty(0)
    contiguous = torch.contiguous_format
    of_weight = torch.empty_like(weight, memory_format=contiguous)
    return back, of_weight, weight.new_empty(len(weight))


def _setup(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, weight = ctx.saved_tensors
    needs = ctx.needs_input_grad
    if torch.is_grad_enabled() and is_eager(grad):
        # Its gradients are wanted, too: the kernels have none.
        found: Any = torch.ops.aten.convolution_backward(
            grad, x, weight.to(x.dtype), [len(weight)], [1] * 3,
            [weight.shape[-1] // 2] * 3, [1] * 3, False, [0] * 3,
            len(weight), needs,
        )  # fmt: skip
    else:
        found = torch.ops.mmuniformer.depthwise_gradients(
            grad, x, weight, needs[0]
        )
    dtypes = x.dtype, weight.dtype, weight.dtype
    return tuple(
        value.to(dtype) if need else None
        for value, dtype, need in zip(found, dtypes, needs)
    )


if HAS_CUSTOM_OPS:
    _LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
    _LIBRARY.define(
        'depthwise(Tensor x, Tensor weight, Tensor bias) -> Tensor'
    )
    _LIBRARY.impl('depthwise', _forward, 'CUDA')
    _LIBRARY.impl('depthwise', _empty, 'Meta')
    _LIBRARY.define(
        'depthwise_gradients(Tensor grad, Tensor x, Tensor weight, bool of_x)'
        ' -> (Tensor, Tensor, Tensor)'
    )
    _LIBRARY.impl('depthwise_gradients', _gradients, 'CUDA')
    _LIBRARY.impl('depthwise_gradients', _empty_gradients, 'Meta')
    torch.library.register_autograd(
        'mmuniformer::depthwise', _backward, setup_context=_setup, lib=_LIBRARY
    )
