"""For mmaction2: the views of clips that the recipes test on.

mmaction2's ``Resize`` rounds pixels to bytes and the longer side to the
nearest; its ``CenterCrop`` and ``ThreeCrop`` are a pixel off at odd sizes.
"""

import math

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import LocalUserError, UserError
from ...registry import TRANSFORMS
from .clips import resize


@TRANSFORMS.register_module()
class ClipResize(BaseTransform):
    """Resizes frames by their shorter side.

    Args:
        size: New shorter side in pixels. The longer one is rounded down.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def transform(self, results: dict) -> dict:
        """Changes ``imgs`` to T arrays of floats, unless they fit."""
        height, width = results['imgs'][0].shape[:2]
        if min(height, width) != self.size:
            if width < height:
                shape = math.floor(height / width * self.size), self.size
            else:
                shape = self.size, math.floor(width / height * self.size)
            # A list, as of mmaction2's transforms: its tools write into it.
            results['imgs'] = list(resize(results['imgs'], *shape))
            results['img_shape'] = shape
        return results


@TRANSFORMS.register_module()
class ClipCrop(BaseTransform):
    """Crops squares for testing.

    Args:
        size: Their side in pixels.
        num_crops: 1 for the center; 3 for both ends of the longer side and,
            between them, the center.
    """

    def __init__(self, size: int, num_crops: int = 1) -> None:
        if num_crops not in (1, 3):
            raise UserError(f'num_crops={num_crops!r}: wanted 1 or 3')
        self.size = size
        self.num_crops = num_crops

    def transform(self, results: dict) -> dict:
        """Changes ``imgs`` to num_crops * T arrays (size, size, 3)."""
        frames = results['imgs']
        height, width = frames[0].shape[:2]
        room = np.array((height, width)) - self.size
        if room.min() < 0:
            raise LocalUserError(
                f'size={self.size}: greater than frames of '
                f'{height} x {width} pixels; wanted at most the size of '
                f'ClipResize'
            )
        corners = np.stack([-(-room // 2)] * 3)
        longer = 0 if room[0] > room[1] else 1
        corners[0, longer], corners[2, longer] = 0, room[longer]
        if self.num_crops == 1:
            corners = corners[1:2]
        results['imgs'] = [
            frame[y : y + self.size, x : x + self.size]
            for y, x in corners
            for frame in frames
        ]
        results['img_shape'] = (self.size, self.size)
        return results
