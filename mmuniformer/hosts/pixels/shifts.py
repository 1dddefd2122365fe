"""Bicubic shears and translations: Pillow's very pixels in half the time.

Pillow's ``Image.transform`` weighs 4 x 4 pixels of each pixel in float64.
Where a picture moves along one axis alone, one line of four is enough, with
weights that a whole line shares. Sums in float32 are near enough to tell the
result, which Pillow cuts to an integer, but for some pixels in ten thousand:
those are computed again, in float64 and in Pillow's order.

Source: ``affine_transform`` and ``bicubic_filter32RGB`` in Pillow's
``src/libImaging/Geometry.c``.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch

from .rounding import bytes_of, floats_of, kept, sparse

TAPS = 4
# Above the error of a sum of four products in float32.
MARGIN = 3e-4


@lru_cache(16)  # all frames of a clip move alike
def lines_of(*args: Any) -> 'Lines':
    """As of :class:`Lines`."""
    return Lines(*args)


class Lines:
    """Where the pixels of moved lines come from.

    Args:
        count: Lines.
        length: Pixels of a line.
        shear: Pixels of movement from one line to the next.
        shift: Movement of the start of the first line.
    """

    def __init__(
        self, count: int, length: int, shear: float, shift: float
    ) -> None:
        self.shear, self.shift, self.length = shear, shift, length
        lines = np.arange(count if shear else 1)
        at = self.place(lines, np.zeros(len(lines))) - 0.5
        self.first = np.floor(at).astype(int)
        self.fractions = at - self.first
        # The pixels that are inside of the picture.
        low = np.clip(-self.first - 2, 0, length)
        for _ in range(4):
            low += (self.place(lines, low) < 0) & (low < length)
        high = np.clip(length - self.first - 2, 0, length)
        for _ in range(4):
            high += (self.place(lines, high) < length) & (high < length)
        x = np.arange(length)
        self.outside = (x < low[:, None]) | (x >= high[:, None])

    def place(self, line: Any, pixel: Any) -> Any:
        """Place along a line where a pixel comes from, as Pillow rounds."""
        return ((pixel + 0.5) + self.shear * (line + 0.5)) + self.shift

    def weights(self) -> list[torch.Tensor]:
        """The weights of the taps by line, float32 (lines, 1)."""
        d = self.fractions[:, None]
        found = (
            d * (-1 + d * (2 - d)),
            1 + d * d * (d - 2),
            d * (1 + d * (1 - d)),
            d * d * (d - 1),
        )
        return [torch.from_numpy(w.astype(np.float32)) for w in found]


def move(planes: np.ndarray, lines: Lines, fill: Sequence[int]) -> np.ndarray:
    """Moves each line of planes along itself.

    Args:
        planes: Bytes (N, H, W).
        lines: H lines of W pixels.
        fill: Of new pixels, by plane.

    Returns:
        Bytes (N, H, W), those of Pillow.
    """
    count, height, width = planes.shape
    taken = np.arange(width + TAPS - 1) + lines.first[:, None] - 1
    np.clip(taken, 0, width - 1, out=taken)
    if len(taken) == 1:
        source = planes.take(taken[0], 2)
    else:
        taken += np.arange(height)[:, None] * width
        source = planes.reshape(count, -1).take(taken, 1)
    pixels = floats_of(source)
    weights = lines.weights()
    total = torch.from_numpy(kept('sums', planes.shape, np.float32))
    torch.mul(pixels[..., :width], weights[0], out=total)
    for k in range(1, TAPS):
        total.addcmul_(pixels[..., k : k + width], weights[k])
    moved = np.empty(planes.shape, np.uint8)
    others = kept('others', planes.shape, np.uint8)
    bytes_of(
        total.view(-1), MARGIN, moved.reshape(-1), others.reshape(-1), True
    )
    near = np.not_equal(moved, others, out=others.view(bool))
    np.greater(near, lines.outside, out=near)
    unsure = sparse(others.reshape(-1))
    if len(unsure):
        moved.reshape(-1)[unsure] = exactly(source, lines, unsure)
    for plane, colour in zip(moved, fill):
        np.copyto(plane, colour, where=lines.outside)
    return moved


def exactly(
    source: np.ndarray, lines: Lines, places: np.ndarray
) -> np.ndarray:
    """Some pixels in float64 and in Pillow's order of operations.

    Args:
        source: Bytes (N, H, W + TAPS - 1): from the first tap of each line.
        lines: Where the pixels come from.
        places: Where the pixels are in flat planes.
    """
    height, width = source.shape[1], lines.length
    line, x = np.divmod(places, width)
    at = lines.place(line % height, x) - 0.5
    whole = np.floor(at)
    d = at - whole
    first = lines.first[line % height if len(lines.first) > 1 else 0]
    # Rounding may take a pixel to the next whole number.
    start = line * source.shape[2] + (whole.astype(int) - first)
    flat = source.reshape(-1)
    last = len(flat) - 1
    v = [
        flat[np.clip(start + k, 0, last)].astype(np.int32) for k in range(TAPS)
    ]
    p2 = v[2] - v[0]
    p4 = v[1] - v[0] + v[3] - v[2]
    p3 = v[0] - v[1] - p4
    found = v[1] + d * (p2 + d * (p3 + d * p4))
    return found.clip(0, 255).astype(np.uint8)


def turn(planes: np.ndarray) -> np.ndarray:
    """Planes (N, W, H) of planes (N, H, W)."""
    return np.stack([cv2.transpose(plane) for plane in planes])


def shift(
    planes: np.ndarray, matrix: Sequence[float], fill: Sequence[int]
) -> np.ndarray | None:
    """``Image.transform`` by an affine matrix, for shears and translations.

    Args:
        planes: Bytes (N, H, W).
        matrix: Six numbers, as Pillow takes them.
        fill: Of new pixels, by plane.

    Returns:
        Bytes (N, H, W), or None for other matrices.
    """
    a, b, c, d, e, f = matrix
    height, width = planes.shape[1:]
    if (a, e) != (1, 1):
        return None
    if d == f == 0 and abs(b) * height + abs(c) < 4 * width:
        return move(planes, lines_of(height, width, b, c), fill)
    if b == c == 0 and abs(d) * width + abs(f) < 4 * height:
        lines = lines_of(width, height, d, f)
        return turn(move(turn(planes), lines, fill))
    return None
