"""Bytes of sums in float32, and where those are not exact enough."""

import math
import threading
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

# Memory that is taken anew costs more than what is done in it.
_KEPT = threading.local()
EIGHT = np.arange(8)


def kept(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array in memory that the next call of this name takes again.

    Args:
        name: Of its use.
        shape: Its shape.
        dtype: Its type, always the same of a name.
    """
    size = math.prod(shape)
    memory = getattr(_KEPT, name, None)
    if memory is None or len(memory) < size:
        memory = np.empty(size, dtype)
        setattr(_KEPT, name, memory)
    return memory[:size].reshape(shape)


def floats_of(values: np.ndarray) -> Tensor:
    """Bytes as float32, until the next call."""
    found = torch.from_numpy(kept('floats', values.shape, np.float32))
    return found.copy_(torch.from_numpy(values))


def bytes_of(
    sums: Tensor,
    margin: float,
    found: np.ndarray,
    others: np.ndarray,
    down: bool = False,
) -> None:
    """Rounds sums a little too high and a little too low.

    Where both give the same byte, that is the byte of the exact sum.

    Args:
        sums: float32; changed in place.
        margin: Above the error of the sums.
        found: Gets the bytes of sums that are a little too high.
        others: Gets those of sums that are a little too low.
        down: To the next smaller whole number instead of the nearest.
    """
    # Bytes of absolute values are what OpenCV finds soonest. What is below
    # 1/4 becomes 0 either way.
    values = sums.clamp_min_(0.25).numpy()
    shift = -0.5 if down else 0.0
    cv2.convertScaleAbs(values, found, 1, shift + margin)
    cv2.convertScaleAbs(values, others, 1, shift - margin)


def different(found: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Where flat bytes differ, many of which few do."""
    whole = len(found) // 8 * 8
    words = found[:whole].view(np.uint64) != others[:whole].view(np.uint64)
    places = (np.flatnonzero(words)[:, None] * 8 + EIGHT).reshape(-1)
    places = np.concatenate([places, np.arange(whole, len(found))])
    return places[found[places] != others[places]]


def sparse(flags: np.ndarray) -> np.ndarray:
    """Where bytes are not 0, of many of which few are not."""
    return different(flags, np.zeros_like(flags))
