"""For mmdet: masks of objects, kept where they are not empty.

mmdet keeps, enlarges, flips, stacks and sends the whole picture for each
object. What is done here is done to the box around an object; the masks are
the same.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import mmcv
import numpy as np
from mmdet.structures.mask import BitmapMasks


class Part(NamedTuple):
    """A mask within a box, empty outside.

    Attributes:
        x: Left edge of the box in pixels.
        y: Upper edge.
        mask: Bytes (h, w).
    """

    x: int
    y: int
    mask: np.ndarray

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the picture."""
        height, width = self.mask.shape
        return np.s_[self.y : self.y + height, self.x : self.x + width]


def part_of(mask: np.ndarray) -> Part:
    """The part of a mask (H, W) of bytes that is not empty."""
    columns = mask.flags.f_contiguous
    box = cv2.boundingRect(mask.T if columns else mask)
    x, y, width, height = (*box[1::-1], *box[:1:-1]) if columns else box
    part = mask[y : y + height, x : x + width]
    if columns and part.size:  # as pycocotools decodes
        return Part(x, y, cv2.transpose(part.T))
    return Part(x, y, part.copy())


@lru_cache(4096)
def nearest(length: int, size: int) -> np.ndarray:
    """Which of so many lines OpenCV takes for each of so many."""
    lines = np.arange(length, dtype=np.float32)[None]
    found = cv2.resize(lines, (size, 1), interpolation=cv2.INTER_NEAREST)
    return found[0].astype(int)


def chosen(lines: np.ndarray, first: int, count: int) -> tuple[int, Any]:
    """Which lines of a box are taken, and where they begin.

    Args:
        lines: Of the whole picture that are taken, in order.
        first: Line of the picture where the box begins.
        count: Lines of the box.
    """
    start, stop = np.searchsorted(lines, (first, first + count))
    return int(start), lines[start:stop] - first


class LocalMasks(BitmapMasks):
    """mmdet's masks of objects, kept where they are not empty.

    What it does not do to the parts it does to whole masks, as its base
    class: they are made when ``masks`` is first asked for.

    Args:
        masks: Masks (N, H, W) of bytes.
        height: H.
        width: W.
    """

    def __init__(self, masks: Any, height: int, width: int) -> None:
        self.parts: list[Part] = []
        self.whole: np.ndarray | None = None
        super().__init__(masks, height, width)

    @classmethod
    def of(
        cls, parts: Sequence[Part], height: int, width: int
    ) -> 'LocalMasks':
        """Masks of their parts."""
        found = cls((), height, width)
        found.parts, found.whole = list(parts), None
        return found

    @property
    def masks(self) -> np.ndarray:
        """Whole masks (N, H, W); what is written into them is kept."""
        whole = self.whole
        if whole is None:
            shape = len(self.parts), self.height, self.width
            whole = np.zeros(shape, np.uint8)
            for part, mask in zip(self.parts, whole):
                mask[part.box] = part.mask
            self.masks = whole
        return whole

    @masks.setter
    def masks(self, whole: np.ndarray) -> None:
        self.whole = whole
        self.parts = [Part(0, 0, mask) for mask in whole]

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: Any) -> 'LocalMasks':
        places = np.arange(len(self.parts))[index].reshape(-1)
        parts = [self.parts[place] for place in places]
        return self.of(parts, self.height, self.width)

    @property
    def areas(self) -> np.ndarray:
        """Pixels of each mask."""
        areas = [part.mask.sum() for part in self.parts]
        return np.array(areas, np.uint64)

    def rescale(self, scale: Any, interpolation: str = 'nearest') -> Any:
        """See mmdet's ``BaseInstanceMasks.rescale``."""
        if interpolation != 'nearest':
            return super().rescale(scale, interpolation)
        size = mmcv.rescale_size((self.width, self.height), scale)
        return self.resize(size[::-1])

    def resize(
        self, out_shape: tuple[int, int], interpolation: str = 'nearest'
    ) -> Any:
        """See mmdet's ``BaseInstanceMasks.resize``."""
        if interpolation != 'nearest':
            return super().resize(out_shape, interpolation)
        rows = nearest(self.height, out_shape[0])
        columns = nearest(self.width, out_shape[1])
        parts = []
        for part in self.parts:
            y, below = chosen(rows, part.y, part.mask.shape[0])
            x, beside = chosen(columns, part.x, part.mask.shape[1])
            mask = part.mask.take(beside, 1).take(below, 0)
            parts.append(Part(x, y, mask))
        return self.of(parts, *out_shape)

    def flip(self, flip_direction: str = 'horizontal') -> Any:
        """See mmdet's ``BaseInstanceMasks.flip``."""
        codes = {'horizontal': 1, 'vertical': 0, 'diagonal': -1}
        code = codes[flip_direction]
        parts = []
        for x, y, mask in self.parts:
            if code:
                x = self.width - x - mask.shape[1]
            if code < 1:
                y = self.height - y - mask.shape[0]
            flipped = cv2.flip(mask, code) if mask.size else mask
            parts.append(Part(x, y, flipped))
        return self.of(parts, self.height, self.width)

    def pad(self, out_shape: tuple[int, int], pad_val: int = 0) -> Any:
        """See mmdet's ``BaseInstanceMasks.pad``."""
        smaller = out_shape[0] < self.height or out_shape[1] < self.width
        if smaller or pad_val != 0:
            return super().pad(out_shape, pad_val)
        return self.of(self.parts, *out_shape)

    def crop(self, bbox: np.ndarray) -> Any:
        """See mmdet's ``BaseInstanceMasks.crop``."""
        x1, x2 = np.clip(bbox[0::2], 0, self.width).tolist()
        y1, y2 = np.clip(bbox[1::2], 0, self.height).tolist()
        if x2 <= x1 or y2 <= y1:
            return super().crop(bbox)
        parts = []
        for x, y, mask in self.parts:
            rows = slice(max(y1 - y, 0), max(y2 - y, 0))
            columns = slice(max(x1 - x, 0), max(x2 - x, 0))
            place = max(x - x1, 0), max(y - y1, 0)
            parts.append(Part(*place, mask[rows, columns]))
        return self.of(parts, y2 - y1, x2 - x1)
