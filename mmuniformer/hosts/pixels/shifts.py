"""Shears and translations: Pillow's very pixels in a fraction of the time.

Pillow's ``Image.transform`` weighs 4 x 4 pixels of each pixel in float64, or
2 x 2. Where a picture moves along one axis alone, one line of them is enough,
with weights that a whole line shares. Sums in float32 are near enough to tell
the result, which Pillow cuts to an integer, but for some pixels in a
thousand: those are computed again, in float64 and in Pillow's order.

Source: ``affine_transform``, ``bicubic_filter32RGB`` and
``bilinear_filter32RGB`` in Pillow's ``src/libImaging/Geometry.c``.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch

from .rounding import bytes_of, floats_of, kept, sparse

# Above the error of a sum of four products in float32.
MARGIN = 3e-4
# Pixels at the ends of lines, which are repeated beyond.
EDGE = 4


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
        cubic: Weigh four pixels, or else two.

    Attributes:
        whole: Pixel that the first one of each line is at or after.
        fractions: How far after, in pixels.
        outside: Pixels (lines, length) that come from outside.
        sure: These, and those of lines that move by whole pixels.
    """

    def __init__(
        self, count: int, length: int, shear: float, shift: float, cubic: bool
    ) -> None:
        self.shear, self.shift, self.length = shear, shift, length
        self.cubic = cubic
        lines = np.arange(count if shear else 1)
        at = self.place(lines, 0) - 0.5
        whole = np.floor(at)
        self.fractions = (at - whole)[:, None]
        # One pixel of each end is inside or not, as its place is rounded.
        low, high = -whole - 1, length - whole - 1
        low += self.place(lines, low) < 0
        high += self.place(lines, high) < length
        x = np.arange(length, dtype=np.float32)
        outside = x < low[:, None].astype(np.float32)
        outside |= x >= high[:, None].astype(np.float32)
        self.outside = np.array(np.broadcast_to(outside, (count, length)))
        self.whole = whole.astype(int)[:, None]
        self.sure = self.outside | (self.fractions == 0)

    def place(self, line: Any, pixel: Any) -> Any:
        """Place along a line where a pixel comes from, as Pillow rounds."""
        return ((pixel + 0.5) + self.shear * (line + 0.5)) + self.shift

    def weights(self) -> list[torch.Tensor]:
        """The weights of the taps by line, float32 (lines, 1)."""
        d = self.fractions
        found = [1 - d, d]
        if self.cubic:
            found = [
                d * (-1 + d * (2 - d)),
                1 + d * d * (d - 2),
                d * (1 + d * (1 - d)),
                d * d * (d - 1),
            ]
        return [torch.from_numpy(w.astype(np.float32)) for w in found]


def parts_of(planes: np.ndarray, lines: Lines, length: int) -> np.ndarray:
    """What is weighed of each line, from its first tap on.

    What is more than ``EDGE`` pixels beyond a line may be anything.
    """
    count, height, width = planes.shape
    first = lines.whole - int(lines.cubic)
    before, after = max(-first.min(), 0), max(first.max(), 0) + length
    step = width + 2 * EDGE
    size = count * height * step
    memory = kept('lines', (before + size + after,), np.uint8)
    body = memory[before : before + size].reshape(-1, step)
    repeat = 0, 0, EDGE, EDGE, cv2.BORDER_REPLICATE
    cv2.copyMakeBorder(planes.reshape(-1, width), *repeat, body)
    shape = len(memory) - length + 1, length
    parts = np.ndarray(shape, np.uint8, memory, strides=(1, 1))
    starts = np.arange(count * height).reshape(count, height, 1) * step
    return parts[(starts + first + (before + EDGE))[..., 0]]


def move(planes: np.ndarray, lines: Lines, fill: Sequence[int]) -> np.ndarray:
    """Moves each line of planes along itself.

    Args:
        planes: Bytes (N, H, W).
        lines: H lines of W pixels.
        fill: Of new pixels, by plane.

    Returns:
        Bytes (N, H, W), those of Pillow.
    """
    width = planes.shape[2]
    weights = lines.weights()
    # One more: rounding may take a pixel to the next one, never beyond.
    source = parts_of(planes, lines, width + len(weights))
    pixels = floats_of(source)
    total = torch.from_numpy(kept('sums', planes.shape, np.float32))
    torch.mul(pixels[..., :width], weights[0], out=total)
    for k, weight in enumerate(weights[1:], 1):
        total.addcmul_(pixels[..., k : k + width], weight)
    moved = np.empty(planes.shape, np.uint8)
    others = kept('others', planes.shape, np.uint8)
    bytes_of(
        total.view(-1), MARGIN, moved.reshape(-1), others.reshape(-1), True
    )
    unsure = np.not_equal(moved, others, out=others.view(bool))
    unsure &= uneven(source, len(weights))[..., :width]
    np.greater(unsure, lines.sure, out=unsure)
    places = sparse(unsure.reshape(-1).view(np.uint8))
    if len(places):
        moved.reshape(-1)[places] = exactly(source, lines, places)
    outside = lines.outside.view(np.uint8)
    for plane, colour in zip(moved, fill):
        cv2.copyTo(np.full_like(plane, colour), outside, plane)
    return moved


def uneven(source: np.ndarray, taps: int) -> np.ndarray:
    """Whether so many pixels are not all the same, by the first of them.

    Where they are, any weighted mean is what they are.
    """
    flat = source.reshape(-1)
    found = np.ones(len(flat), bool)
    np.not_equal(flat[1:], flat[:-1], out=found[:-1])
    for _ in range(taps - 2):
        found[:-1] = found[:-1] | found[1:]
    return found.reshape(source.shape)


def exactly(
    source: np.ndarray, lines: Lines, places: np.ndarray
) -> np.ndarray:
    """Some pixels in float64 and in Pillow's order of operations.

    Args:
        source: Of :func:`parts_of`.
        lines: Where the pixels come from.
        places: Where the pixels are in flat planes.
    """
    line, x = np.divmod(places, lines.length)
    row = line % source.shape[1]
    at = lines.place(row, x) - 0.5
    whole = np.floor(at)
    d = at - whole
    first = lines.whole[row if len(lines.whole) > 1 else 0, 0]
    start = line * source.shape[2] + (whole.astype(int) - first)
    flat = source.reshape(-1)
    v = [flat[start + k].astype(np.int32) for k in range(2 + 2 * lines.cubic)]
    if not lines.cubic:
        return (v[0] + (v[1] - v[0]) * d).astype(np.uint8)
    p2 = v[2] - v[0]
    p4 = v[1] - v[0] + v[3] - v[2]
    p3 = v[0] - v[1] - p4
    found = v[1] + d * (p2 + d * (p3 + d * p4))
    return found.clip(0, 255).astype(np.uint8)


def turn(planes: np.ndarray) -> np.ndarray:
    """Planes (N, W, H) of planes (N, H, W)."""
    count, height, width = planes.shape
    turned = np.empty((count, width, height), np.uint8)
    for plane, found in zip(planes, turned):
        cv2.transpose(plane, found)
    return turned


def shift(
    planes: np.ndarray,
    matrix: Sequence[float],
    fill: Sequence[int],
    cubic: bool = True,
) -> np.ndarray | None:
    """``Image.transform`` by an affine matrix, for shears and translations.

    Args:
        planes: Bytes (N, H, W).
        matrix: Six numbers, as Pillow takes them.
        fill: Of new pixels, by plane.
        cubic: Bicubic, or else bilinear.

    Returns:
        Bytes (N, H, W), or None for other matrices.
    """
    a, b, c, d, e, f = matrix
    height, width = planes.shape[1:]
    if (a, e) != (1, 1):
        return None
    if d == f == b * c == 0 and abs(b) * height + abs(c) < 4 * width:
        return move(planes, lines_of(height, width, b, c, cubic), fill)
    if b == c == d * f == 0 and abs(d) * width + abs(f) < 4 * height:
        lines = lines_of(width, height, d, f, cubic)
        return turn(move(turn(planes), lines, fill))
    return None
