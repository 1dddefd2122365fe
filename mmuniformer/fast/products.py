"""Linear layers with constant weights, by the faster of two libraries.

PyTorch computes them by its BLAS, mostly MKL, which on some processors is half
as fast as oneDNN. oneDNN wants its weights packed, which pays where they stay
as they are: in fused models. Which one is faster is measured once, in some
milliseconds; ``MMUNIFORMER_PRODUCTS=blas`` or ``onednn`` says it instead.
"""

import logging
import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError

LIBRARIES = ('blas', 'onednn')
VARIABLE = 'MMUNIFORMER_PRODUCTS'
# Rows, inputs and outputs of the product that is measured, and how often.
MEASURED, TIMES = (1024, 256, 1024), 5

# By layer: the packed weights, and what tells that they are still right.
_packed: WeakKeyDictionary[nn.Module, tuple[Any, Tensor]] = WeakKeyDictionary()


def by_onednn(x: Tensor) -> bool:
    """Whether products with packed weights are faster for tokens ``x``."""
    return (
        x.dtype == torch.float32
        and x.device.type == 'cpu'
        and x.numel() > 0
        and library(torch.get_num_threads()) == 'onednn'
    )


@cache
def library(threads: int) -> str:
    """The faster library on this machine, a member of ``LIBRARIES``.

    Args:
        threads: Of the CPU, in use now.

    Raises:
        UserError: The environment variable has another value.
    """
    fixed = os.environ.get(VARIABLE)
    if fixed and fixed not in LIBRARIES:
        raise UserError(
            f'{VARIABLE}={fixed!r}: wanted {" or ".join(LIBRARIES)}'
        )
    if not _has_onednn():
        return 'blas'
    return fixed or _measure(threads)


def _has_onednn() -> bool:
    """Whether this PyTorch has the operators; Inductor stands on them."""
    names = ('_linear_pointwise', '_reorder_linear_weight')
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name) for name in names
    )


def _measure(threads: int) -> str:
    rows, dim_in, dim_out = MEASURED
    with torch.inference_mode():
        x = torch.ones(rows, dim_in)
        weight, bias = torch.ones(dim_out, dim_in), torch.ones(dim_out)
        packed = _pack(weight)
        ways: dict[str, Callable[[], Tensor]] = dict(
            blas=lambda: F.gelu(F.linear(x, weight, bias)),
            onednn=lambda: linear(x, packed, bias, gelu=True),
        )
        seconds = {name: _fastest(way) for name, way in ways.items()}
    found = min(seconds, key=lambda name: seconds[name])
    logging.getLogger('mmuniformer.fast').debug(
        'products of %d threads by %s: %s', threads, found, seconds
    )
    return found


def _fastest(way: Callable[[], Tensor]) -> float:
    """Seconds of the fastest of some calls, the first one left out."""
    times = []
    for _ in range(TIMES + 1):
        start = time.perf_counter()
        way()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def pack(layer: Any) -> Tensor:
    """The weights of a linear layer or 1x1 convolution as oneDNN wants them.

    They are kept until the layer goes, or its weights change.
    """
    weight = layer.weight
    version = None if weight.is_inference() else weight._version
    key = weight.data_ptr(), version
    if layer not in _packed or _packed[layer][0] != key:
        _packed[layer] = key, _pack(weight.detach().flatten(1))
    return _packed[layer][1]


def _pack(weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(
        weight.contiguous(), MEASURED[0]
    )


def linear(
    x: Tensor, packed: Tensor, bias: Tensor, gelu: bool = False
) -> Tensor:
    """Rows (N, C) -> (N, C'), by packed weights; exact GELU if wanted."""
    return torch.ops.mkldnn._linear_pointwise(
        x, packed, bias, 'gelu' if gelu else 'none', [], 'none' if gelu else ''
    )
