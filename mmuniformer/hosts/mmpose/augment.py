"""For mmpose: the training augmentation of mmpose 0.16.

The recipes of pose estimation were trained with version 0.16. Version 1.x
draws from other distributions, in ``RandomBBoxTransform``: truncated normal
ones, and a move of the box in proportion to its padded size.
"""

import numpy as np
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomCenterShift(BaseTransform):
    """Moves the centers of boxes by a uniform draw.

    Source: ``_xywh2cs`` of the data sets of mmpose 0.16. It draws once per
    person when a process reads the annotations; here every time.

    Args:
        factor: Farthest move, as a share of the sides of the annotated box.
        prob: Probability of a move.
    """

    def __init__(self, factor: float, prob: float) -> None:
        self.factor = factor
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Changes ``bbox_center`` (N, 2); needs ``bbox`` (N, 4), x1 to y2."""
        boxes = results['bbox']
        moves = np.random.uniform(-self.factor, self.factor, (len(boxes), 2))
        moves[np.random.rand(len(boxes)) >= self.prob] = 0
        moves *= boxes[:, 2:] - boxes[:, :2]
        results['bbox_center'] = results['bbox_center'] + np.float32(moves)
        return results


@TRANSFORMS.register_module()
class RandomScaleRotation(BaseTransform):
    """Scales and rotates boxes by normal draws, clipped.

    Source: ``TopDownGetRandomScaleRotation`` of mmpose 0.16.

    Args:
        scale_factor: Standard deviation of the scale around 1, and the limit
            of its change.
        rotate_factor: Standard deviation of the angle in degrees; the limit
            is twice as far.
        rotate_prob: Probability of a rotation.
    """

    def __init__(
        self, scale_factor: float, rotate_factor: float, rotate_prob: float
    ) -> None:
        self.scale_factor = scale_factor
        self.rotate_factor = rotate_factor
        self.rotate_prob = rotate_prob

    def transform(self, results: dict) -> dict:
        """Changes ``bbox_scale`` (N, 2), adds ``bbox_rotation`` (N,)."""
        count = len(results['bbox_scale'])
        change = np.random.randn(count, 1).clip(-1, 1) * self.scale_factor
        angle = np.random.randn(count).clip(-2, 2) * self.rotate_factor
        angle[np.random.rand(count) > self.rotate_prob] = 0
        results['bbox_scale'] = results['bbox_scale'] * np.float32(1 + change)
        results['bbox_rotation'] = np.float32(angle)
        return results
