"""Layout changes of ``models/tokens.py`` in graphs that are exported.

Legend: B batch, C channels, N tokens, H rows, W columns of a map.
Other programs run these graphs, at other sizes: no line compares sizes, or
asks whether one divides the other, which would fix them.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from .graphs import is_exported

Function = TypeVar('Function', bound=Callable[..., Any])


def replaced(function: Function) -> Function:
    """Has graphs that are exported take the function of that name here."""
    name = function.__name__

    @wraps(function)
    def call(*args: Any) -> Any:
        return (FORMS[name] if is_exported() else function)(*args)

    return cast(Function, call)


def to_channels_last(x: Tensor) -> Tensor:
    """Leaves a map as it is stored, so that no stride depends on a size."""
    return x


def flatten(x: Tensor) -> Tensor:
    """(B, C, *S) -> (B, N, C)."""
    return _swapped(x.flatten(2))


def unflatten(tokens: Tensor, shape: Sequence[int]) -> Tensor:
    """(B, N, C) -> (B, C, *S), channels first."""
    return _swapped(tokens).reshape(shape)


def _swapped(x: Tensor) -> Tensor:
    """(B, M, N) -> (B, N, M), always copied: `contiguous` asks for N = 1."""
    return x.transpose(1, 2).clone(memory_format=torch.contiguous_format)


def window_split(x: Tensor, window: int) -> Tensor:
    """(B, C, H, W) -> (B * nH * nW, window * window, C), by a gather."""
    b, c, h, w = x.shape
    rows, cols = (h + window - 1) // window, (w + window - 1) // window
    # One long row of places: a grid of windows would ask whether it has one
    # row or column, as it has of maps that one window covers.
    place = torch.arange(rows * cols * window * window, device=x.device)
    grid, inner = place // window**2, place % window**2
    # The ONNX exporter has no remainders by symbols.
    row, col = grid // cols, grid - grid // cols * cols
    row = row * window + inner // window
    col = col * window + inner % window
    # Beyond the map all places have one more token, a zero.
    index = torch.where((row < h) & (col < w), row * w + col, h * w)
    tokens = torch.cat([flatten(x), x.new_zeros(b, 1, c)], 1)
    return _regrouped(tokens[:, index], b * rows * cols, window * window, c)


def window_join(windows: Tensor, window: int, shape: Sequence[int]) -> Tensor:
    """Inverse of :func:`window_split`; ``shape``: (B, C, H, W)."""
    b, c, h, w = shape
    rows, cols = (h + window - 1) // window, (w + window - 1) // window
    row = torch.arange(h, device=windows.device)[:, None]
    col = torch.arange(w, device=windows.device)[None]
    index = row // window * cols + col // window
    index = (index * window + row % window) * window + col % window
    tokens = _regrouped(windows, b, rows * cols * window * window, c)
    return unflatten(tokens[:, index.flatten()], shape)


def _regrouped(x: Tensor, *shape: int) -> Tensor:
    """Another shape, by one long row: `reshape` compares old and new sizes."""
    return x.contiguous().flatten().reshape(shape)


FORMS: dict[str, Callable[..., Tensor]] = {
    'to_channels_last': to_channels_last,
    'flatten': flatten,
    'unflatten': unflatten,
    'window_split': window_split,
    'window_join': window_join,
}
