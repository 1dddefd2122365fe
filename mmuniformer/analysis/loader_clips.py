"""Clips frame by frame: what the transforms of whole clips are against."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from ..hosts.mmaction import clips
from ..hosts.mmpretrain.timm_policy import operations, posterize


class ClipAutoAugment:
    """RandAugment by timm; what it draws it does to one frame after another.

    Args:
        policy: As of ours.
        fill: As of ours.
        interpolation: As of ours.
    """

    def __init__(
        self,
        policy: str,
        fill: tuple[int, int, int] = clips.GREY,
        interpolation: str = 'bicubic',
    ) -> None:
        from timm.data.auto_augment import rand_augment_transform

        method = Image.Resampling[interpolation.upper()]
        settings = dict(img_mean=tuple(fill), interpolation=method)
        self.policy = rand_augment_transform(policy, settings)
        for op in operations(self.policy):
            if op.name.startswith('Posterize'):
                op.aug_fn = partial(posterize, op.aug_fn)
            op.aug_fn = partial(on_all, op.aug_fn)

    def __call__(self, results: dict) -> dict:
        """Changes ``imgs`` (H, W, 3), bytes."""
        pictures = [Image.fromarray(frame) for frame in results['imgs']]
        results['imgs'] = [np.array(p) for p in self.policy(pictures)]
        return results


def on_all(
    function: Callable[..., Any], pictures: list[Any], *args: Any, **kw: Any
) -> list[Any]:
    """Does to all pictures what timm has drawn for one."""
    return [function(picture, *args, **kw) for picture in pictures]


class ClipResizedCrop(clips.ClipResizedCrop):
    """Ours, resized by PyTorch."""

    resize = staticmethod(clips.resize)
