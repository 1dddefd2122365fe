"""For mmseg: pictures of segmentations."""

from typing import Any

import numpy as np
from mmseg.visualization import SegLocalVisualizer

from ...registry import VISUALIZERS


@VISUALIZERS.register_module()
class SegVisualizer(SegLocalVisualizer):
    """mmseg's visualizer, which places its labels faster.

    mmseg sorts the pixels of each class as Python lists. It also fails on
    images whose channels were turned, as its ``browse_dataset.py`` gives
    them.

    Args:
        args: As of ``SegLocalVisualizer``.
        kwargs: As of ``SegLocalVisualizer``.
    """

    def _get_center_loc(self, mask: np.ndarray) -> np.ndarray:
        """The middle pixel (x, y) of the row that has most of them."""
        y = np.count_nonzero(mask, 1).argmax()
        columns = np.flatnonzero(mask[y])
        return np.array([columns[len(columns) // 2], y])

    def _draw_sem_seg(
        self, image: np.ndarray, *args: Any, **kwargs: Any
    ) -> np.ndarray:
        """Draws on an image that OpenCV can draw on."""
        image = np.ascontiguousarray(image)
        return super()._draw_sem_seg(image, *args, **kwargs)
