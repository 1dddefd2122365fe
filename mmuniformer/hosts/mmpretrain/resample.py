"""Pillow's smooth resizing: its very pixels in half of its time.

Pillow weighs columns, rounds to bytes, then weighs rows, in whole numbers of
22 binary places; since version 13 rows come first in tall pictures. Here the
sums are sparse products in float32, for which PyTorch has fast kernels. They
tell the byte, but for a few pixels that are near the middle between two:
those are summed again as Pillow does it.

Source: ``precompute_coeffs`` and ``ImagingResample`` in Pillow's
``src/libImaging/Resample.c``.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..pixels.planes import straight
from ..pixels.rounding import bytes_of, different, floats_of, kept

METHODS = {
    'nearest': Image.Resampling.NEAREST,
    'bilinear': Image.Resampling.BILINEAR,
    'bicubic': Image.Resampling.BICUBIC,
    'box': Image.Resampling.BOX,
    'lanczos': Image.Resampling.LANCZOS,
    'hamming': Image.Resampling.HAMMING,
}

PLACES = 22
# Above the error in float32 of a product and its sum, up to 512.
MARGIN = 4e-5
MOST_TAPS = 32
# Sides of crops of photographs.
USUAL = range(64, 513)


def bicubic(x: np.ndarray) -> np.ndarray:
    """Weights of pixels by their distances; none from 2 on."""
    x, a = np.abs(x), -0.5
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def triangle(x: np.ndarray) -> np.ndarray:
    """Weights of pixels by their distances; none from 1 on."""
    return np.maximum(1 - np.abs(x), 0)


# Filters, and the distance from which on they weigh nothing.
FILTERS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    'bicubic': (bicubic, 2.0),
    'bilinear': (triangle, 1.0),
}


class Taps(NamedTuple):
    """What each line of a result is made of.

    Attributes:
        places: Lines of the source (size, taps).
        whole: Their weights times 2 ** PLACES.
        bags: ``places`` for PyTorch, flat.
        starts: Where the bag of each line starts.
        weights: float32, flat.
    """

    places: np.ndarray
    whole: np.ndarray
    bags: Tensor
    starts: Tensor
    weights: Tensor


@lru_cache(1024)
def taps_of(length: int, size: int, method: str = 'bicubic') -> Taps:
    """Weights for so many lines of so many.

    Args:
        length: Lines of the source.
        size: Lines of the result.
        method: One of ``FILTERS``.
    """
    scale = length / size
    wide = max(scale, 1.0)
    weigh_distances, reach = FILTERS[method]
    support = reach * wide
    center = (np.arange(size) + 0.5) * scale
    low = np.maximum((center - support + 0.5).astype(int), 0)
    high = np.minimum((center + support + 0.5).astype(int), length)
    x = np.arange(int((high - low).max()))
    distance = (x + low[:, None] - center[:, None] + 0.5) * (1.0 / wide)
    inside = x < (high - low)[:, None]
    weights = np.where(inside, weigh_distances(distance), 0.0)
    total = np.zeros(size)
    for column in weights.T:  # in Pillow's order
        total += column
    weights /= total[:, None]
    scaled = weights * (1 << PLACES)
    whole = np.trunc(scaled + np.where(weights < 0, -0.5, 0.5)).astype(
        np.int32
    )
    places = np.minimum(low[:, None] + x, length - 1).astype(np.int32)
    return Taps(
        places,
        whole,
        torch.from_numpy(places.reshape(-1)),
        torch.arange(size, dtype=torch.int32) * len(x),
        torch.from_numpy((whole / (1 << PLACES)).astype(np.float32)).view(-1),
    )


def prepare(size: tuple[int, int], method: str) -> None:
    """Makes the tables of usual crops, about 0.1 s.

    A data set makes them for its workers, which share them.

    Args:
        size: Height and width of the result.
        method: One of ``FILTERS``; others have no tables.
    """
    if method in FILTERS and is_fast():
        for lines in set(size):
            for length in USUAL:
                taps_of(length, lines, method)


@cache
def is_fast() -> bool:
    """Whether PyTorch has the kernels here, and Pillow's pixels come out.

    The kernels are for x86-64 processors. A few sizes are tried, once.
    """
    known = getattr(torch.backends.cpu, 'get_cpu_capability', str)()
    if known not in ('AVX2', 'AVX512'):
        return False
    sizes = (64, 64), (88, 40), (120, 90), (90, 200), (30, 60)
    return all(
        is_pillows(90, 88, size, method, rows_first(90, 88, size))
        for method in FILTERS
        for size in sizes
    )


@cache
def turns_tall() -> bool:
    """Whether Pillow weighs the rows of tall pictures first."""
    return is_pillows(90, 88, (60, 80), 'bicubic', True)


def rows_first(height: int, width: int, size: tuple[int, int]) -> bool:
    """Whether Pillow weighs rows, then columns."""
    less = height - size[0]
    return less > 0 and less > 2 * (width - size[1]) and turns_tall()


def is_pillows(
    height: int, width: int, size: tuple[int, int], method: str, rows: bool
) -> bool:
    """Whether noise of such a size is resized as Pillow does it."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (height, width, 3), np.uint8)
    wanted = Image.fromarray(noise).resize(size[::-1], METHODS[method])
    found = resize(noise, size, method, rows)
    return np.array_equal(found, np.asarray(wanted))


def can_resize(
    height: int, width: int, size: tuple[int, int], method: str
) -> bool:
    """Whether :func:`resize` is for such sizes.

    Args:
        height: Of the source.
        width: Of the source.
        size: Height and width of the result.
        method: As of :func:`resized`.
    """
    if method not in FILTERS:
        return False
    most = max(height / size[0], width / size[1], 1)
    taps = 2 * FILTERS[method][1] * most + 2
    return taps <= MOST_TAPS and is_fast()


def resize(
    image: np.ndarray, size: tuple[int, int], method: str, rows: bool
) -> np.ndarray:
    """What Pillow makes of an image by a filter.

    Args:
        image: Bytes (H, W, 3).
        size: Height and width of the result.
        method: One of ``FILTERS``.
        rows: Weigh rows, then columns.
    """
    if rows:
        image = weigh(image, size[0], method)
    image = cv2.transpose(weigh(cv2.transpose(image), size[1], method))
    return image if rows else weigh(image, size[0], method).copy()


def weigh(lines: np.ndarray, size: int, method: str) -> np.ndarray:
    """Lines (size, N, 3) of lines (length, N, 3).

    They are in memory that the next call takes again.
    """
    length, count, _ = lines.shape
    if length == size:
        return lines
    taps = taps_of(length, size, method)
    table = np.ascontiguousarray(lines).reshape(length, -1)
    sums = torch.embedding_bag(
        floats_of(table),
        taps.bags,
        taps.starts,
        False,
        0,
        False,
        taps.weights,
    )[0]
    found = kept('found', (size, 3 * count), np.uint8)
    others = kept('others', found.shape, np.uint8)
    bytes_of(sums, MARGIN * (taps.places.shape[1] + 1), found, others)
    unsure = different(found.reshape(-1), others.reshape(-1))
    if len(unsure):
        line, column = np.divmod(unsure, 3 * count)
        values = table[taps.places[line], column[:, None]].astype(int)
        total = (values * taps.whole[line]).sum(1) + (1 << PLACES - 1)
        found.reshape(-1)[unsure] = (total >> PLACES).clip(0, 255)
    return found.reshape(size, count, 3)


def crop(image: np.ndarray, box: tuple[int, int, int, int]) -> Any:
    """A part of an array as a picture of Pillow, its channels as they are.

    Args:
        image: Bytes (H, W, 3), contiguous.
        box: Left, upper, right and lower edge.
    """
    left, top, right, bottom = box
    height, width = bottom - top, right - left
    step = image.strides[0]
    start = top * step + 3 * left
    stop = start + (height - 1) * step + 3 * width
    data = image.reshape(-1)[start:stop].data
    size = width, height
    return Image.frombytes('RGB', size, data, 'raw', 'RGB', step, 1)


def resized(
    image: np.ndarray,
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    method: str,
    backend: str = 'pillow',
) -> np.ndarray:
    """A part of an image, resized.

    Args:
        image: Bytes (H, W, 3).
        box: Left, upper, right and lower edge.
        size: Height and width of the result.
        method: 'bicubic', 'bilinear', ...
        backend: 'pillow' or 'torch'.
    """
    part = image[box[1] : box[3], box[0] : box[2]]
    if image.strides[1:] != (3, 1):
        image = part = straight(part)
        box = 0, 0, part.shape[1], part.shape[0]
    if backend == 'torch':
        pixels = torch.from_numpy(np.ascontiguousarray(part))
        pixels = pixels.permute(2, 0, 1)[None]
        found = F.interpolate(pixels, size, mode=method, antialias=True)
        return found[0].contiguous().numpy().transpose(1, 2, 0)
    height, width = part.shape[:2]
    if can_resize(height, width, size, method):
        return resize(part, size, method, rows_first(height, width, size))
    picture = crop(np.ascontiguousarray(image), box)
    return np.array(picture.resize(size[::-1], METHODS[method]))
