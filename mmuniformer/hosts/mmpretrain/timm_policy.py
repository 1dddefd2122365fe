"""Augmentation by timm, for the hosts that train with it.

timm is needed when a policy or an erasing is built, not before.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..pixels.whole import on_clips


def auto_augment(
    policy: str,
    fill: tuple[int, ...],
    interpolation: str,
    size: int | None = None,
) -> Any:
    """A policy of timm, from :class:`Clip` to :class:`Clip`.

    Args:
        policy: As timm spells it: 'v0', 'rand-m9-mstd0.5-inc1' and so on.
        fill: Red, green and blue of new pixels.
        interpolation: 'bicubic', 'bilinear', or 'random': one of the two.
        size: Side of the picture, which limits translations by pixels.
    """
    from timm.data import auto_augment

    settings: dict[str, Any] = dict(img_mean=tuple(fill))
    if size:
        settings['translate_const'] = int(0.45 * size)
    if interpolation != 'random':
        method = Image.Resampling[interpolation.upper()]
        settings['interpolation'] = method
    if policy.startswith('rand'):
        built = auto_augment.rand_augment_transform(policy, settings)
    else:
        built = auto_augment.auto_augment_transform(policy, settings)
    for op in operations(built):
        op.aug_fn = on_clips(op.name, op.aug_fn)
    return built


def operations(policy: Any) -> list[Any]:
    """All operations of a policy of timm."""
    if hasattr(policy, 'ops'):
        return list(policy.ops)
    return [op for pair in policy.policy for op in pair]


def posterize(
    function: Callable[..., Any], picture: Any, bits: int, **kwargs: Any
) -> Any:
    """Posterize that goes down to 0 bits, all black.

    The recipes come to it: 'v0' by a level of 2, RandAugment by one of 10.
    Pillow 13 refuses what older ones did.
    """
    if bits == 0:
        return picture.point([0] * 256 * len(picture.getbands()))
    return function(picture, bits, **kwargs)


class Erasing:
    """Fills one box of all frames with noise that is N(0, 1) in the network.

    The noise of each pixel, channel and frame is its own. The recipes erase
    after normalisation; here the model normalises later. So the noise is
    scaled, and it keeps its fractions and its values outside of 0 to 255.

    Source: ``RandomErasing`` of timm in mode 'pixel'.

    Args:
        prob: Probability to erase.
        mean: Mean of the normalisation, in the order of the channels.
        std: Its standard deviation.
    """

    def __init__(
        self, prob: float, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        from timm.data.random_erasing import RandomErasing

        self.erase = RandomErasing(prob, mode='pixel', device='cpu')
        self.mean = np.asarray(mean, np.float32)
        self.std = np.asarray(std, np.float32)

    def draw(self, planes: int, height: int, width: int) -> Any:
        """A box, as slices, and its noise (planes, h, w); or None."""
        seen = Drawn(planes, height, width)
        self.erase(seen)
        return seen.found

    def __call__(self, frames: np.ndarray) -> None:
        """Fills the box in place; floats (T, H, W, C)."""
        time, height, width, channels = frames.shape
        found = self.draw(time * channels, height, width)
        if found:
            (_, rows, columns), noise = found
            filled = noise.numpy().reshape(time, channels, *noise.shape[1:])
            filled = self.mean + self.std * filled.transpose(0, 2, 3, 1)
            frames[:, rows, columns] = filled


class Boxes(Erasing):
    """Draws the boxes that :class:`Erasing` draws, and no noise.

    Args:
        prob: Probability of a box.
    """

    def __init__(self, prob: float) -> None:
        super().__init__(prob, (), ())
        self.erase.rand_color = self.erase.per_pixel = False

    def box(self, height: int, width: int) -> tuple[int, ...] | None:
        """Top, left, height and width, or None."""
        found = self.draw(1, height, width)
        if not found:
            return None
        (_, rows, columns), _ = found
        top, left = rows.start, columns.start
        return top, left, rows.stop - top, columns.stop - left


class Drawn:
    """Stands for a tensor in timm's erasing: keeps what is written into it.

    Args:
        shape: Of the tensor: planes, height and width.
    """

    dtype = torch.float32

    def __init__(self, *shape: int) -> None:
        self.shape = shape
        self.found: Any = None

    def size(self) -> tuple[int, ...]:
        """Its shape."""
        return self.shape

    def __setitem__(self, place: Any, value: Any) -> None:
        self.found = place, value
