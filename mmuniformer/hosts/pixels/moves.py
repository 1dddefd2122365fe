"""Bicubic affine moves of whole clips: Pillow's very pixels, far sooner.

All frames of a clip move alike, so that a pixel of a clip is a row of bytes,
one of each frame and channel, and a moved pixel is a weighted sum of 4 or 16
such rows, for which PyTorch has a fast kernel. Sums in float32 tell the
byte but for some in a thousand that are near the next one: those are computed
again, in float64 and in Pillow's order.

Source: ``affine_transform`` and ``bicubic_filter32RGB`` in Pillow's
``src/libImaging/Geometry.c``.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch

from .rounding import bytes_of, floats_of, sparse

# Above the errors of sums of 16 products in float32, and of 4.
MARGIN, NARROW_MARGIN = 1e-3, 3e-4
# Pixels that are summed at once: their sums stay in the processor's cache.
BLOCK = 4096
# Planes that are moved at once; OpenCV takes 512 of them.
PLANES = 96
# Share of pixels above which it is no use to compute them again.
MOST_UNSURE = 0.05


class Axis:
    """Where pixels come from along one axis.

    Arrays have the sides (H, W), or 1 for a side along which nothing changes.

    Args:
        at: Place of the middle of each pixel, in pixels.
        length: Of the picture.
    """

    def __init__(self, at: np.ndarray, length: int) -> None:
        self.inside = (at >= 0) & (at < length)
        at = at - 0.5
        first = np.floor(at)
        self.fractions = at - first
        self.still = not self.fractions.any()
        steps = np.arange(1) if self.still else np.arange(-1, 3)
        places = first.astype(np.int32)[..., None] + steps
        self.places = places.clip(0, length - 1).astype(np.int32)
        self.seconds = first.astype(int).clip(0, length - 1)

    def weights(self) -> np.ndarray:
        """Those of the 4 neighbours, or of the one (..., taps)."""
        d = self.fractions
        if self.still:
            return np.ones_like(d)[..., None]
        found = [
            d * (-1 + d * (2 - d)),
            1 + d * d * (d - 2),
            d * (1 + d * (1 - d)),
            d * d * (d - 1),
        ]
        return np.stack(found, -1)


def place(
    a: float, x: np.ndarray, b: float, y: np.ndarray, c: float
) -> np.ndarray:
    """``a * x + b * y + c``, with one column or row where all are alike."""
    # Pillow adds products of 0, too, which changes nothing.
    return np.atleast_2d(a * (x if a else x[:1]) + b * (y if b else y[:1]) + c)


def alike(table: np.ndarray, size: tuple[int, int], taps: Any) -> np.ndarray:
    """Where all that is summed is the same: the sum is that, then.

    Args:
        table: Bytes (H * W, N).
        size: H and W.
        taps: Height and width of what is summed, 4 or 1.

    Returns:
        Flags (H * W, N), by the second pixel of the taps.
    """
    image = table.reshape(*size, -1)
    shape = np.ones(taps, np.uint8)
    anchor = int(taps[1] > 1), int(taps[0] > 1)
    most = cv2.dilate(image, shape, anchor=anchor)
    least = cv2.erode(image, shape, anchor=anchor)
    return np.equal(most, least, out=most.view(bool)).reshape(table.shape)


def cubic(v: Sequence[np.ndarray], d: np.ndarray) -> np.ndarray:
    """Pillow's ``BICUBIC`` of four neighbours, float64."""
    p2 = -v[0] + v[2]
    p3 = 2 * (v[0] - v[1]) + v[2] - v[3]
    p4 = -v[0] + v[1] - v[2] + v[3]
    return v[1] + d * (p2 + d * (p3 + d * p4))


class Move:
    """An affine move of pictures of one size.

    Args:
        height: Of the pictures.
        width: Of the pictures.
        matrix: Six numbers, as ``Image.transform`` takes them.
    """

    def __init__(
        self, height: int, width: int, matrix: Sequence[float]
    ) -> None:
        a, b, c, d, e, f = matrix
        x = np.arange(width) + 0.5
        y = np.arange(height)[:, None] + 0.5
        self.x = Axis(place(a, x, b, y, c), width)
        self.y = Axis(place(d, x, e, y, f), height)
        self.size = height, width
        self.outside = self.full(~(self.x.inside & self.y.inside))
        self.seconds = self.full(self.y.seconds * width + self.x.seconds)
        places = (self.y.places * width)[..., None] + self.x.places[
            ..., None, :
        ]
        self.places = self.full(places)
        weights = self.y.weights()[..., None] * self.x.weights()[..., None, :]
        self.weights = self.full(weights.astype(np.float32))
        self.margin = MARGIN if self.places.shape[1:] > (4,) else NARROW_MARGIN

    def full(self, values: np.ndarray) -> np.ndarray:
        """Of all pixels (H * W, ...), of values that some share."""
        values = np.broadcast_to(values, self.size + values.shape[2:])
        whole = np.array(values, order='C')
        whole = whole.reshape(self.size[0] * self.size[1], -1)
        return whole[:, 0] if values.ndim == 2 else whole

    def __call__(self, table: np.ndarray) -> np.ndarray | None:
        """Moves rows of bytes (H * W, N).

        Returns:
            As many rows, what is outside undefined; None if too many bytes
            are near the next one, as in pictures of few colours.
        """
        source = floats_of(table)
        found = np.empty_like(table)
        changed = np.empty_like(table)
        for first in range(0, len(table), BLOCK):
            part = slice(first, first + BLOCK)
            places = torch.from_numpy(self.places[part])
            sums = torch.embedding_bag(
                source,
                places.view(-1),
                torch.arange(len(places), dtype=torch.int32) * places.shape[1],
                False,
                0,
                False,
                torch.from_numpy(self.weights[part]).view(-1),
            )[0]
            bytes_of(sums, self.margin, found[part], changed[part], True)
        unsure = np.not_equal(found, changed, out=changed.view(bool))
        taps = [1 if axis.still else 4 for axis in (self.y, self.x)]
        sure = np.take(alike(table, self.size, taps), self.seconds, 0)
        sure[self.outside] = True
        unsure = sparse((unsure & ~sure).reshape(-1))
        if len(unsure) > MOST_UNSURE * found.size:
            return None
        found.reshape(-1)[unsure] = self.exactly(table, unsure)
        return found

    def exactly(self, table: np.ndarray, unsure: np.ndarray) -> np.ndarray:
        """Some bytes as Pillow computes them, by their places in ``table``."""
        pixel, plane = np.divmod(unsure, table.shape[1])
        flat = table.reshape(-1)
        near = self.places[pixel].T.astype(int) * table.shape[1] + plane
        v = list(flat[near].astype(float))
        if not self.x.still:
            d = self.full(self.x.fractions)[pixel]
            v = [cubic(v[i : i + 4], d) for i in range(0, len(v), 4)]
        if not self.y.still:
            v = [cubic(v, self.full(self.y.fractions)[pixel])]
        return v[0].clip(0, 255).astype(np.uint8)


def move(
    planes: np.ndarray, matrix: Sequence[float], fill: Sequence[int]
) -> Any:
    """``Image.transform`` by an affine matrix, bicubic, of many planes.

    Args:
        planes: Bytes (N, H, W).
        matrix: Six numbers.
        fill: Of new pixels, by plane.

    Returns:
        Bytes (N, H, W); None if Pillow is as fast.
    """
    height, width = planes.shape[1:]
    way = Move(height, width, matrix)
    moved = []
    for first in range(0, len(planes), PLANES):
        part = planes[first : first + PLANES]
        found = way(cv2.transpose(part.reshape(len(part), -1)))
        if found is None:
            return None
        found[way.outside] = fill[first : first + PLANES]
        moved.append(cv2.transpose(found))
    return np.concatenate(moved).reshape(planes.shape)
