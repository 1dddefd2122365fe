"""For mmseg: its transforms of training, with the same results, sooner.

They draw the numbers of their base classes and give the same pixels, bit for
bit.
"""

from typing import Any

import cv2
import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmseg.datasets.transforms import PhotoMetricDistortion as Distortion
from mmseg.datasets.transforms import RandomCrop as Crop

from ...registry import TRANSFORMS
from ..pixels.planes import is_plain, planar, straight

RAMP = np.arange(256, dtype=np.uint8)


@TRANSFORMS.register_module()
class RandomCrop(Crop):
    """mmseg's transform of this name; it counts labels, and sorts no pixels.

    Args:
        args: As of the base class.
        kwargs: As of the base class.
    """

    @cache_randomness
    def crop_bbox(self, results: dict) -> tuple[int, int, int, int]:
        """Upper, lower, left and right edge of a crop."""
        labels = results['gt_seg_map']
        if labels.dtype != np.uint8 or labels.ndim != 2:
            return super().crop_bbox(results)
        height, width = self.crop_size
        room = [
            max(side - length, 0) + 1
            for side, length in zip(results['img'].shape, self.crop_size)
        ]
        for tries in range(11):
            top, left = (np.random.randint(0, places) for places in room)
            box = top, top + height, left, left + width
            if self.cat_max_ratio >= 1 or tries == 10:
                break
            if self.is_mixed(self.crop(labels, box)):
                break
        return box

    def is_mixed(self, labels: np.ndarray) -> bool:
        """Whether no class covers too much of a label map."""
        found = cv2.calcHist([labels], [0], None, [256], [0, 256])
        counts = found.ravel().astype(int)
        if 0 <= self.ignore_index < 256:
            counts[self.ignore_index] = 0
        if np.count_nonzero(counts) < 2:
            return False
        return bool(counts.max() / counts.sum() < self.cat_max_ratio)


@TRANSFORMS.register_module()
class PhotoMetricDistortion(Distortion):
    """mmseg's transform of this name; what it does to bytes, tables do.

    Args:
        args: As of the base class.
        kwargs: As of the base class.
    """

    def convert(
        self, img: np.ndarray, alpha: float = 1, beta: float = 0
    ) -> np.ndarray:
        """``img * alpha + beta`` of bytes, clipped."""
        if img.dtype != np.uint8:
            return super().convert(img, alpha, beta)
        table = super().convert(RAMP, alpha, beta)
        return cv2.LUT(img, table)

    def saturation(self, img: np.ndarray) -> np.ndarray:
        """Changes the saturation of an image (H, W, 3), blue first."""
        if not np.random.randint(2):
            return img
        alpha = np.random.uniform(self.saturation_lower, self.saturation_upper)
        return through_hsv(img, 1, super().convert(RAMP, alpha))

    def hue(self, img: np.ndarray) -> np.ndarray:
        """Turns the hue of an image (H, W, 3), blue first."""
        if not np.random.randint(2):
            return img
        turn = np.random.randint(-self.hue_delta, self.hue_delta)
        table = (RAMP.astype(int) + turn) % 180
        return through_hsv(img, 0, table.astype(np.uint8))

    def transform(self, results: dict) -> dict:
        """Changes ``img``, bytes (H, W, 3), blue first."""
        if not is_plain(results['img']):
            return super().transform(results)
        results['img'] = straight(results['img'])
        results = super().transform(results)
        results['img'] = planar(results['img'])
        return results


def through_hsv(image: np.ndarray, channel: int, table: np.ndarray) -> Any:
    """Changes a channel of hue, saturation and value by a table.

    Args:
        image: Bytes (H, W, 3), blue first.
        channel: 0, 1 or 2.
        table: Bytes (256,).
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    changed = cv2.LUT(cv2.extractChannel(hsv, channel), table)
    cv2.insertChannel(changed, hsv, channel)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
