"""Operations of timm on all frames of a clip at once, with the same pixels.

A clip is kept as planes, one of each channel of each frame. What Pillow does
to bytes one by one it does to a tall grey picture of all planes, too; what it
does by a table is a table here; bicubic moves are those of :mod:`.moves`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageStat

from .moves import move
from .shifts import shift

# Frames from which on :func:`move` is sooner than :func:`shift` and Pillow.
SEVERAL = 4
RAMP = np.arange(256, dtype=np.uint8)
# As ``ImageFilter.SMOOTH``. No sum is in the middle of two bytes.
SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


class Clip:
    """Stands for a picture in functions of timm and of Pillow.

    Args:
        planes: Bytes (T, 3, H, W).
    """

    mode = 'RGB'
    rotate = Image.Image.rotate

    def __init__(self, planes: np.ndarray) -> None:
        self.planes = planes
        self.height, self.width = planes.shape[2:]
        self.size = self.width, self.height

    @classmethod
    def of(cls, frames: Sequence[np.ndarray]) -> 'Clip':
        """A clip of frames (H, W, 3)."""
        height, width = frames[0].shape[:2]
        planes = np.empty((len(frames), 3, height, width), np.uint8)
        for frame, part in zip(frames, planes):
            cv2.split(np.ascontiguousarray(frame), list(part))
        return cls(planes)

    def frames(self) -> list[np.ndarray]:
        """Its frames (H, W, 3)."""
        return [cv2.merge(list(part)) for part in self.planes]

    def pictures(self) -> list[Any]:
        """Its frames as Pillow has them."""
        return [Image.fromarray(frame) for frame in self.frames()]

    def like(self, planes: np.ndarray) -> 'Clip':
        """Another clip of this size."""
        return Clip(planes.reshape(self.planes.shape))

    def copy(self) -> 'Clip':
        """As of Pillow; nothing is changed in place."""
        return self

    def counts(self) -> np.ndarray:
        """How often each byte is in each plane (3 * T, 256)."""
        planes = self.planes.reshape(-1, self.height, self.width)
        counts = [
            cv2.calcHist([plane], [0], None, [256], [0, 256])
            for plane in planes
        ]
        # (256, 1) each, of OpenCV 5 (256,).
        return np.stack(counts).reshape(-1, 256).astype(int)

    def point(self, table: Any) -> 'Clip':
        """As of Pillow; the table is of all planes, of three, or of one."""
        tables = np.asarray(table).clip(0, 255).astype(np.uint8)
        tables = tables.reshape(-1, 256)
        planes = self.planes.reshape(-1, self.height, self.width)
        if (tables == tables[0]).all():
            lines = self.planes.reshape(-1, self.width)
            return self.like(cv2.LUT(lines, tables[0]))
        found = np.empty_like(planes)
        for i, plane in enumerate(planes):
            cv2.LUT(plane, tables[i % len(tables)], found[i])
        return self.like(found)

    def transpose(self, method: Any) -> 'Clip':
        """As of Pillow."""
        turned = [picture.transpose(method) for picture in self.pictures()]
        return Clip.of([np.asarray(picture) for picture in turned])

    def transform(
        self,
        size: Any,
        method: Any,
        matrix: Any,
        resample: Any = Image.Resampling.NEAREST,
        fillcolor: Any = None,
    ) -> 'Clip':
        """As of Pillow."""
        cubic = resample == Image.Resampling.BICUBIC
        smooth = cubic or resample == Image.Resampling.BILINEAR
        if smooth and len(fillcolor or ()) == 3:
            planes = self.planes.reshape(-1, self.height, self.width)
            fill = list(fillcolor) * len(self.planes)
            if cubic and len(self.planes) >= SEVERAL:
                found = move(planes, matrix, fill)
            else:
                found = shift(planes, matrix, fill, cubic)
            if found is not None:
                return self.like(found)
        moved = [
            p.transform(size, method, matrix, resample, fillcolor=fillcolor)
            for p in self.pictures()
        ]
        return Clip.of([np.asarray(picture) for picture in moved])

    def blended(self, planes: np.ndarray, factor: float) -> 'Clip':
        """``Image.blend`` of other planes with these ones."""
        parts = [grey(planes), grey(self.planes)]
        return self.like(np.asarray(Image.blend(parts[0], parts[1], factor)))

    def grey_frames(self) -> list[Any]:
        """The frames without colours, of Pillow."""
        return [picture.convert('L') for picture in self.pictures()]


def grey(planes: np.ndarray) -> Any:
    """A tall grey picture of planes (..., W)."""
    lines = np.ascontiguousarray(planes).reshape(-1, planes.shape[-1])
    return Image.frombuffer(
        'L', lines.shape[::-1], lines.data, 'raw', 'L', 0, 1
    )


def auto_contrast(clip: Clip, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    pixels = clip.planes.reshape(-1, clip.height * clip.width)
    low, high = (
        most[:, None].astype(int) for most in (pixels.min(1), pixels.max(1))
    )
    scale = 255.0 / np.maximum(high - low, 1)
    tables = (np.arange(256) * scale + -low * scale).astype(int)
    return clip.point(np.where(high > low, tables, RAMP))


def equalize(clip: Clip, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    counts = clip.counts()
    last = 255 - (counts[:, ::-1] > 0).argmax(1)
    total = counts.sum(1)
    step = (total - counts[np.arange(len(counts)), last])[:, None] // 255
    before = counts.cumsum(1) - counts
    tables = (step // 2 + before) // np.maximum(step, 1)
    return clip.point(np.where(step > 0, tables, RAMP))


def invert(clip: Clip, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    return clip.like(~clip.planes)


def posterize(clip: Clip, bits: int, **_: Any) -> Clip:
    """Does what timm's function of this name does; 0 bits: all black."""
    return clip.like(clip.planes & np.uint8(256 - 2 ** (8 - min(bits, 8))))


def solarize(clip: Clip, thresh: float, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    return clip.point(np.where(RAMP < thresh, RAMP, ~RAMP))


def solarize_add(clip: Clip, add: int, thresh: int = 128, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    return clip.point(np.where(RAMP < thresh, RAMP.astype(int) + add, RAMP))


def color(clip: Clip, factor: float, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    planes = np.stack([np.asarray(p) for p in clip.grey_frames()])
    return clip.blended(planes[:, None].repeat(3, 1), factor)


def contrast(clip: Clip, factor: float, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    tables = []
    for picture in clip.grey_frames():
        mean = int(ImageStat.Stat(picture).mean[0] + 0.5)
        flat = np.full_like(RAMP, mean)
        table = Image.blend(grey(flat), grey(RAMP), factor)
        tables += [np.asarray(table)] * 3
    return clip.point(np.concatenate(tables, None))


def brightness(clip: Clip, factor: float, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    table = Image.blend(grey(np.zeros_like(RAMP)), grey(RAMP), factor)
    return clip.point(np.asarray(table))


def sharpness(clip: Clip, factor: float, **_: Any) -> Clip:
    """Does what timm's function of this name does."""
    planes = np.empty_like(clip.planes)
    for source, plane in zip(
        clip.planes.reshape(-1, *clip.planes.shape[2:]),
        planes.reshape(-1, *clip.planes.shape[2:]),
    ):
        cv2.filter2D(source, -1, SMOOTH, plane)
    for edge in (np.s_[..., :1, :], np.s_[..., -1:, :], np.s_[..., :1]):
        planes[edge] = clip.planes[edge]
    planes[..., -1:] = clip.planes[..., -1:]
    return clip.blended(planes, factor)


# By the start of the names of timm's operations. Where there is a function,
# it takes the place of timm's; timm's own takes a Clip for a picture.
FUNCTIONS: dict[str, Callable[..., Clip] | None] = {
    'AutoContrast': auto_contrast,
    'Equalize': equalize,
    'Invert': invert,
    'Rotate': None,
    'Posterize': posterize,
    'SolarizeAdd': solarize_add,
    'Solarize': solarize,
    'Shear': None,
    'Translate': None,
    'Color': color,
    'Contrast': contrast,
    'Brightness': brightness,
    'Sharpness': sharpness,
}


def on_clips(name: str, function: Callable[..., Any]) -> Callable[..., Clip]:
    """What does to a :class:`Clip` what a function of timm does to frames.

    Args:
        name: Of timm's operation.
        function: Of timm.
    """
    for start, ours in FUNCTIONS.items():
        if name.startswith(start):
            return ours or function

    def one_by_one(clip: Clip, *args: Any, **kwargs: Any) -> Clip:
        done = [function(p, *args, **kwargs) for p in clip.pictures()]
        return Clip.of([np.asarray(picture) for picture in done])

    return one_by_one
