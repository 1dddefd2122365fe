"""Linear layers by the faster of two libraries, on CPUs.

PyTorch computes them by its BLAS, mostly MKL, which on some processors is half
as fast as oneDNN. oneDNN takes them as 1x1 convolutions; where the weights
stay as they are, as in fused models, it takes them packed, which is faster
still. :func:`library` measures which one is faster, once, in milliseconds.
Layers of fused models that :mod:`.int8` marked are computed by integers.

``MMUNIFORMER_PRODUCTS=blas`` or ``onednn`` says it instead; the path of a
``.json`` file keeps there what was measured, so that the next process
computes as this one did.

Legend: N rows, C channels in, C' channels out.
"""

import json
import logging
import os
import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef

from ..errors import UserError
from . import pointwise
from .graphs import (
    assume_constant_result,
    cpu_autocast,
    is_compiling,
    is_eager,
    is_plain,
    takes_custom_code,
)

LIBRARIES = ('blas', 'onednn')
VARIABLE = 'MMUNIFORMER_PRODUCTS'
# What is measured, by kind, and how many times as fast oneDNN has to be. One
# run is to choose like another, with as many processes or more, interrupted
# or not: where the libraries are close, it is BLAS, but for fused models.
MARGINS = {
    'packed': 1.05,
    'plain': 1.3,
    'training': 1.3,
    'attention': 1.1,
    'attention, training': 1.3,
}
# Rows, channels in and out of the product that is measured, and how often.
MEASURED, TIMES = (1024, 256, 1024), 10
DTYPES = (torch.float32, torch.bfloat16)

# What a layer of a fused model says of its weights, which stay as they are;
# other layers have no such attribute.
PACKED, INT8 = 'packed', 'int8'
ENGINE = 'onednn'  # of integers

# By address and form: whose weights they were, their version, the packed ones.
_packed: dict[tuple[int, str], tuple[StorageWeakRef, int | None, Any]] = {}


def linear(layer: Any, x: Tensor) -> Tensor:
    """What a layer makes of ``x``, (..., C) -> (..., C').

    A linear layer is computed by the faster library, a 1x1 convolution of
    maps (B, C, *S) on a GPU as a product. It is called as it is where
    anything watches or replaces it, and so is any other layer.
    """
    if pointwise.applies(layer, x):
        return pointwise.product(layer, x)
    if type(layer) is not nn.Linear or layer.bias is None:
        return layer(x)
    packing = '' if torch.is_grad_enabled() else packing_of(layer)
    if not _applies(layer, x, packing):
        return layer(x)
    rows = x.reshape(-1, x.shape[-1])
    rows = product(rows, layer.weight, layer.bias, packing)
    return rows.view(*x.shape[:-1], -1)


def packing_of(layer: Any) -> str:
    """How the weights of a layer are kept: PACKED, INT8, or not ('')."""
    return getattr(layer, 'packing', '')


def _applies(layer: Any, x: Tensor, packing: str) -> bool:
    return (
        x.device.type == 'cpu'
        and x.dtype == layer.weight.dtype
        and x.dtype in DTYPES
        and not cpu_autocast()
        and (takes_custom_code() or is_eager(x))
        and x.numel() > 0  # of a tensor that is traced, no number
        and _by_onednn(x.dtype, packing)
        and is_plain(layer)
    )


def by_blas(x: Tensor, packing: str = '') -> bool:
    """Whether PyTorch's matrix products are to compute ``x``."""
    return x.dtype not in DTYPES or not _by_onednn(x.dtype, packing)


def _by_onednn(dtype: torch.dtype, packing: str) -> bool:
    if packing == INT8:
        return True
    kind = packing or 'plain'
    if torch.is_grad_enabled():
        kind = 'training'
    return library(dtype, kind) == 'onednn'


def product(
    rows: Tensor,
    weight: Tensor,
    bias: Tensor,
    packing: str = '',
    gelu: bool = False,
) -> Tensor:
    """A linear layer of rows, (N, C) -> (N, C'), by the faster library.

    Args:
        rows: Rows (N, C).
        weight: Weights (C', C).
        bias: Bias (C').
        packing: How the weights are kept, see :func:`packing_of`.
        gelu: Whether the exact GELU follows.
    """
    if rows.dtype in DTYPES and _by_onednn(rows.dtype, packing):
        if packing and is_compiling():
            return torch.ops.mmuniformer.linear(
                rows, weight, bias, packing, gelu
            )
        if packing == INT8:
            return by_integers(rows, pack(weight, INT8), bias, gelu)
        if packing:
            return by_packed(rows, pack(weight), bias, gelu)
        out = by_convolution(rows, weight, bias)
    elif rows.dtype == torch.bfloat16:
        out = F.linear(rows, weight, bias)
    else:
        out = torch.mm(rows, weight.t()).add_(bias)
    return torch.ops.aten.gelu_(out) if gelu else out


def by_convolution(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Rows (N, C) -> (N, C') as a 1x1 convolution, channels last."""
    x = rows.view(1, len(rows), 1, -1).permute(0, 3, 1, 2)
    x = F.conv2d(x, weight[:, :, None, None], bias)
    return x.permute(0, 2, 3, 1).reshape(len(rows), -1)


def by_packed(
    rows: Tensor, packed: Tensor, bias: Tensor | None, gelu: bool = False
) -> Tensor:
    """Rows (N, C) -> (N, C'), by packed weights; exact GELU if wanted."""
    return torch.ops.mkldnn._linear_pointwise(
        rows,
        packed,
        bias,
        'gelu' if gelu else 'none',
        [],
        'none' if gelu else '',
    )


def by_integers(
    rows: Tensor, packed: Any, bias: Tensor, gelu: bool = False
) -> Tensor:
    """Rows (N, C) -> (N, C') by integers of 8 bits; exact GELU if wanted.

    The rows are quantised by their least and greatest value.
    """
    out = torch.ops.quantized.linear_dynamic(rows, packed).add_(bias)
    return torch.ops.aten.gelu_(out) if gelu else out


def pack(weight: Tensor, packing: str = PACKED) -> Any:
    """Weights (C', C) as oneDNN wants them.

    They are kept until the weights go, or change.
    """
    version = None if weight.is_inference() else weight._version
    place = weight.data_ptr(), packing
    owner = StorageWeakRef(weight.untyped_storage())
    kept = _packed.get(place)
    if kept is None or kept[0] != owner or kept[1] != version:
        there = list(_packed.items())  # other threads may pack, too
        for old in [key for key, value in there if _gone(value)]:
            _packed.pop(old, None)
        pack_one = _pack_integers if packing == INT8 else _pack
        kept = _packed[place] = owner, version, pack_one(weight.detach())
    return kept[2]


def _gone(kept: tuple[StorageWeakRef, int | None, Any]) -> bool:
    return kept[0].expired()


def _pack(weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(
        weight.contiguous(), MEASURED[0]
    )


def _pack_integers(weight: Tensor) -> Any:
    """Weights (C', C) of 8 bits, with a scale for each row."""
    scales = weight.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny)
    zeros = torch.zeros(len(weight), dtype=torch.long)
    quantised = torch.quantize_per_channel(
        weight.contiguous(), scales / 127, zeros, 0, torch.qint8
    )
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = ENGINE
    try:
        return torch.ops.quantized.linear_prepack(quantised, None)
    finally:
        torch.backends.quantized.engine = before


@assume_constant_result
def library(dtype: torch.dtype, kind: str) -> str:
    """The faster library on this machine, a member of ``LIBRARIES``.

    Args:
        dtype: A member of ``DTYPES``.
        kind: 'packed' for weights that stay as they are, 'plain' for others,
            'training' for the gradients, too, 'attention' and 'attention,
            training' for that of a long sequence, by its products or by
            PyTorch's fused kernel.

    Raises:
        UserError: The environment variable has another value.
    """
    if not has_onednn():
        return 'blas'
    return _library(torch.get_num_threads(), dtype, kind)


def has_onednn() -> bool:
    """Whether this PyTorch has the operators; Inductor stands on them."""
    names = ('_linear_pointwise', '_reorder_linear_weight')
    return (
        torch.backends.mkldnn.is_available()
        and torch._C._get_mkldnn_enabled()
        and all(hasattr(torch.ops.mkldnn, name) for name in names)
    )


@cache
def _library(threads: int, dtype: torch.dtype, kind: str) -> str:
    fixed = os.environ.get(VARIABLE, '')
    if fixed in LIBRARIES:
        return fixed
    if fixed and not fixed.endswith('.json'):
        raise UserError(
            f'{VARIABLE}={fixed!r}: wanted {" or ".join(LIBRARIES)}, or the '
            f'path of a .json file that keeps which one is faster'
        )
    key = f'{platform.node()}, {threads} threads, {dtype}, {kind}'
    kept = _read(fixed) if fixed else {}
    if kept.get(key) not in LIBRARIES:
        kept[key] = measure(dtype, kind)
        if fixed:
            Path(fixed).write_text(json.dumps(kept, indent=1) + '\n')
    return kept[key]


def _read(path: str) -> dict[str, str]:
    try:
        return dict(json.loads(Path(path).read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f'{VARIABLE}={path!r}: wanted a file of this program, or a path '
            f'where there is none ({error})'
        ) from error


def measure(dtype: torch.dtype, kind: str) -> str:
    """The library that is faster by the margin of its kind."""
    seconds = {name: float('inf') for name in LIBRARIES}
    ways = _ways(dtype, kind)
    # Both take turns, so that what else the machine does meets both.
    for turn in range(TIMES + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if turn:
                passed = time.perf_counter() - start
                seconds[name] = min(seconds[name], passed)
    faster = seconds['blas'] > MARGINS[kind] * seconds['onednn']
    found = 'onednn' if faster else 'blas'
    logging.getLogger('mmuniformer.fast').debug(
        'products (%s, %s) by %s: %s', dtype, kind, found, seconds
    )
    return found


def _ways(dtype: torch.dtype, kind: str) -> dict[str, Callable[[], Any]]:
    """One product of the kind, by each library."""
    rows, dim_in, dim_out = MEASURED
    if kind.startswith('attention'):
        from .attention import ways as ways_of_attention

        return _to_measure(ways_of_attention(dtype, rows), kind)
    training = kind == 'training'
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.ones(rows, dim_in, dtype=dtype, requires_grad=training)
        weight = torch.ones(
            dim_out, dim_in, dtype=dtype, requires_grad=training
        )
        bias = torch.ones(dim_out, dtype=dtype)
    if kind == 'packed':
        packed = _pack(weight)
        return dict(
            blas=lambda: F.gelu(F.linear(x, weight, bias)),
            onednn=lambda: by_packed(x, packed, bias, gelu=True),
        )
    ways = dict(
        blas=lambda: F.linear(x, weight, bias),
        onednn=lambda: by_convolution(x, weight, bias),
    )
    return _to_measure(ways, kind)


def _to_measure(
    ways: dict[str, Callable[[], Tensor]], kind: str
) -> dict[str, Callable[[], Any]]:
    """With gradients if the kind says so, and without them else."""
    do = _with_gradients if kind.endswith('training') else torch.no_grad()
    return {name: do(way) for name, way in ways.items()}


def _with_gradients(way: Callable[[], Tensor]) -> Callable[[], Any]:
    def step() -> None:
        # Under checkpointing, which counts what the forward pass saves.
        own = saved_tensors_hooks(lambda x: x, lambda x: x)
        with torch.inference_mode(False), torch.enable_grad(), own:
            way().sum().backward()

    return step


_LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
_LIBRARY.define(
    'linear(Tensor rows, Tensor weight, Tensor bias, str packing, '
    'bool gelu) -> Tensor'
)
_LIBRARY.impl('linear', product, 'CPU')
_LIBRARY.impl(
    'linear',
    lambda rows, weight, *_: rows.new_empty(len(rows), len(weight)),
    'Meta',
)
