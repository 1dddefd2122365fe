"""Augmentation by timm, for the hosts that train with it.

timm is needed when a policy or an erasing is built, not before.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image


def auto_augment(
    policy: str,
    fill: tuple[int, ...],
    interpolation: str,
    size: int | None = None,
) -> Any:
    """A policy of timm, from picture to picture.

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
        if op.name.startswith('Posterize'):
            op.aug_fn = partial(posterize, op.aug_fn)
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

    def __call__(self, frames: np.ndarray) -> None:
        """Fills the box in place; floats (T, H, W, C)."""
        time, height, width, channels = frames.shape
        # The first plane shows the box; the others are not even written.
        noise = torch.empty(time * channels, height, width)
        noise[0] = torch.nan
        self.erase(noise)
        rows, columns = np.nonzero(~np.isnan(noise[0].numpy()))
        if len(rows):
            top, left = rows[0], columns[0]
            bottom, right = rows[-1] + 1, columns[-1] + 1
            box = np.s_[:, top:bottom, left:right]
            planes = noise.numpy().reshape(time, channels, height, width)
            filled = planes.transpose(0, 2, 3, 1)[box]
            frames[box] = self.mean + self.std * filled
