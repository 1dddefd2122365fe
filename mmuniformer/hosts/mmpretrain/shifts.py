"""Bicubic shears and translations: Pillow's very pixels in half the time.

Pillow's ``Image.transform`` weighs 4 x 4 pixels of each pixel in float64.
Where a picture moves along one axis alone, one line of four is enough, with
weights that a whole line shares. Sums in float32 are near enough to tell the
result, which Pillow cuts to an integer, but for some pixels in ten thousand:
those are computed again, in float64 and in Pillow's order.

Source: ``affine_transform`` and ``bicubic_filter32RGB`` in Pillow's
``src/libImaging/Geometry.c``.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

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
    first = lines.first - 1
    low = max(-int(first.min()), 0)
    high = max(int(first.max()) + TAPS - 1, 0)
    wide = np.empty((count, height, low + width + high), np.uint8)
    wide[..., low : low + width] = planes
    wide[..., :low] = planes[..., :1]
    wide[..., low + width :] = planes[..., -1:]
    if len(first) == 1:
        start = low + int(first[0])
        source = wide[..., start : start + width + TAPS - 1]
    else:
        source = np.empty((count, height, width + TAPS - 1), np.uint8)
        for y, start in enumerate((first + low).tolist()):
            source[:, y] = wide[:, y, start : start + width + TAPS - 1]
    pixels = torch.from_numpy(source).float()
    weights = lines.weights()
    total = pixels[..., :width] * weights[0]
    for k in range(1, TAPS):
        total.addcmul_(pixels[..., k : k + width], weights[k])
    total.clamp_(0, 255)
    # Clamped first: what is far outside is sure.
    whole = total.add_(MARGIN).floor()
    moved = whole.numpy().astype(np.uint8)
    near = np.less(total.sub_(whole).numpy(), 2 * MARGIN)
    unsure = np.flatnonzero(np.greater(near, lines.outside, out=near))
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


def planes_of(picture: Any) -> np.ndarray:
    """The planes (3, H, W) of a picture in RGB, bytes."""
    width, height = picture.size
    planes = [
        np.frombuffer(picture.tobytes('raw', c), np.uint8) for c in 'RGB'
    ]
    return np.stack(planes).reshape(3, height, width)


def picture_of(planes: np.ndarray) -> Any:
    """A picture in RGB of planes (3, H, W), bytes."""
    size = planes.shape[2], planes.shape[1]
    bands = [
        Image.frombuffer('L', size, plane, 'raw', 'L', 0, 1)
        for plane in np.ascontiguousarray(planes)
    ]
    return Image.merge('RGB', bands)


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


class Shifted:
    """Stands for a picture in timm's functions that shear and translate.

    Args:
        picture: Of Pillow.
    """

    def __init__(self, picture: Any) -> None:
        self.picture = picture
        self.size = picture.size

    def transform(
        self, size: Any, method: Any, matrix: Any, **kwargs: Any
    ) -> Any:
        """``Image.transform``, sooner where that is possible."""
        fill = kwargs.get('fillcolor') or ()
        fits = kwargs.get('resample') == Image.Resampling.BICUBIC
        found = None
        if fits and self.picture.mode == 'RGB' and len(fill) == 3:
            found = shift(planes_of(self.picture), matrix, fill)
        if found is not None:
            return picture_of(found)
        return self.picture.transform(size, method, matrix, **kwargs)


def shifted(
    function: Callable[..., Any], picture: Any, *args: Any, **kwargs: Any
) -> Any:
    """A function of timm that shears or translates, sooner."""
    if not isinstance(picture, Image.Image):
        return function(picture, *args, **kwargs)
    return function(Shifted(picture), *args, **kwargs)
