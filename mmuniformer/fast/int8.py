"""Inference by integers of 8 bits, on CPUs."""

import torch
from torch import nn

from ..errors import UserError
from .processor import has_integers
from .products import ENGINE, INT8, packing_of


def to_int8(model: nn.Module) -> None:
    """Has the linear layers of a fused model compute by integers, in place.

    Weights get a scale per output channel, the input of a layer one scale in
    each call (PyTorch's dynamic quantisation, by oneDNN); sums, biases,
    norms, attention and convolutions stay as they are. For processors with
    VNNI; those with bfloat16 may be as fast in half precision, which is
    nearer to float32.

    Args:
        model: A model on the CPU, in float32, behind ``fuse``.

    Raises:
        UserError: No layer is fused, or the processor has no VNNI.
    """
    check_integers(str(next(model.parameters()).device))
    layers = [m for m in model.modules() if packing_of(m)]
    if not layers:
        raise UserError('int8=True: wanted a fused model, fuse(model) before')
    for layer in layers:
        layer.packing = INT8  # type: ignore[assignment]


def check_integers(device: str) -> None:
    """Raises UserError unless a device has fast products of int8."""
    there = ENGINE in torch.backends.quantized.supported_engines
    if device != 'cpu' or not there or not has_integers():
        raise UserError(
            f'int8=True: {device} does not compute by integers of 8 bits '
            f'here; wanted a CPU with AVX512-VNNI, or int8=False'
        )
