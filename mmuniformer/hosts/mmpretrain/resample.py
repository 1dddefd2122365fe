"""Pillow's bicubic resizing: its very pixels in two thirds of its time.

Pillow weighs columns, rounds to bytes, then weighs rows, in whole numbers of
22 binary places. Here the sums are sparse products in float32, for which
PyTorch has fast kernels. They tell the byte, but for some pixels in a
thousand that are near the middle between two: those are summed again as
Pillow does it.

Source: ``precompute_coeffs`` and ``ImagingResample`` in Pillow's
``src/libImaging/Resample.c``.
"""

from functools import cache, lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

METHODS = {
    'nearest': Image.Resampling.NEAREST,
    'bilinear': Image.Resampling.BILINEAR,
    'bicubic': Image.Resampling.BICUBIC,
    'box': Image.Resampling.BOX,
    'lanczos': Image.Resampling.LANCZOS,
    'hamming': Image.Resampling.HAMMING,
}

PLACES = 22
# Above the error of a sum of so many products in float32.
MARGIN = 1e-3
MOST_TAPS = 32


def bicubic(x: np.ndarray) -> np.ndarray:
    """Weights of pixels by their distances; none from 2 on."""
    x, a = np.abs(x), -0.5
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


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


@lru_cache(4096)
def taps_of(length: int, size: int) -> Taps:
    """Weights for so many lines of so many.

    Args:
        length: Lines of the source.
        size: Lines of the result.
    """
    scale = length / size
    wide = max(scale, 1.0)
    support = 2.0 * wide
    center = (np.arange(size) + 0.5) * scale
    low = np.maximum((center - support + 0.5).astype(int), 0)
    high = np.minimum((center + support + 0.5).astype(int), length)
    x = np.arange(int((high - low).max()))
    distance = (x + low[:, None] - center[:, None] + 0.5) * (1.0 / wide)
    inside = x < (high - low)[:, None]
    weights = np.where(inside, bicubic(distance), 0.0)
    total = np.zeros(size)
    for column in weights.T:  # in Pillow's order
        total += column
    weights /= total[:, None]
    scaled = weights * (1 << PLACES)
    whole = np.trunc(scaled + np.where(weights < 0, -0.5, 0.5)).astype(int)
    places = np.minimum(low[:, None] + x, length - 1)
    return Taps(
        places,
        whole,
        torch.from_numpy(places.reshape(-1)),
        torch.arange(size) * len(x),
        torch.from_numpy((whole / (1 << PLACES)).astype(np.float32)).view(-1),
    )


@cache
def is_fast() -> bool:
    """Whether PyTorch has the kernels here, and Pillow's pixels come out.

    The kernels are for x86-64 processors. A few sizes are tried, once.
    """
    known = getattr(torch.backends.cpu, 'get_cpu_capability', str)()
    if known not in ('AVX2', 'AVX512'):
        return False
    noise = np.random.default_rng(0).integers(0, 256, (90, 88, 3), np.uint8)
    picture = Image.fromarray(noise)
    return all(
        np.array_equal(
            resize(noise, (height, width)),
            np.asarray(picture.resize((width, height), METHODS['bicubic'])),
        )
        for height, width in ((64, 64), (88, 40), (120, 90), (90, 200))
    )


def can_resize(height: int, width: int, size: tuple[int, int]) -> bool:
    """Whether :func:`resize` is for such sizes.

    Since version 13 Pillow weighs the rows of tall pictures first, which
    rounds elsewhere; they are left to it.

    Args:
        height: Of the source.
        width: Of the source.
        size: Height and width of the result.
    """
    most = max(height / size[0], width / size[1])
    tall = height > size[0] and height * size[1] > width * size[0]
    return 4 * max(most, 1) + 2 <= MOST_TAPS and not tall and is_fast()


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What Pillow makes of an image by its bicubic filter.

    Args:
        image: Bytes (H, W, 3).
        size: Height and width of the result.
    """
    height, width = image.shape[:2]
    table = np.empty((width, 3, height), np.uint8)
    for channel in range(3):
        part = cv2.extractChannel(image, channel)
        cv2.transpose(part, table[:, channel])
    columns = weigh(table.reshape(width, -1), size[1])
    columns = columns.reshape(size[1], 3, height)
    table = np.empty((height, 3, size[1]), np.uint8)
    for channel in range(3):
        table[:, channel] = cv2.transpose(columns[:, channel])
    rows = weigh(table.reshape(height, -1), size[0])
    rows = rows.reshape(size[0], 3, size[1])
    return cv2.merge([rows[:, channel] for channel in range(3)])


def weigh(table: np.ndarray, size: int) -> np.ndarray:
    """Lines (size, N) of lines (length, N), bytes."""
    length, width = table.shape
    if length == size:
        return table
    taps = taps_of(length, size)
    sums = torch.embedding_bag(
        torch.from_numpy(table).float(),
        taps.bags,
        taps.starts,
        False,
        0,
        False,
        taps.weights,
    )[0]
    # A value below 1/4 is 0, surely.
    sums.add_(0.5 + MARGIN).clamp_(0.25, 255.5)
    floor = sums.floor()
    found = floor.numpy().astype(np.uint8)
    near = np.less(sums.sub_(floor).numpy(), 2 * MARGIN)
    unsure = np.flatnonzero(near)
    if len(unsure):
        line, column = np.divmod(unsure, width)
        values = table[taps.places[line], column[:, None]].astype(int)
        total = (values * taps.whole[line]).sum(1) + (1 << PLACES - 1)
        found.reshape(-1)[unsure] = (total >> PLACES).clip(0, 255)
    return found


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
    if backend == 'torch':
        left, top, right, bottom = box
        part = np.ascontiguousarray(image[top:bottom, left:right])
        pixels = torch.from_numpy(part).permute(2, 0, 1)[None]
        found = F.interpolate(pixels, size, mode=method, antialias=True)
        return found[0].permute(1, 2, 0).contiguous().numpy()
    height, width = box[3] - box[1], box[2] - box[0]
    if method == 'bicubic' and can_resize(height, width, size):
        part = image[box[1] : box[3], box[0] : box[2]]
        return resize(part, size)
    picture = crop(np.ascontiguousarray(image), box)
    return np.array(picture.resize(size[::-1], METHODS[method]))
