"""Pictures and masks as arrays."""

from typing import Any

import cv2
import numpy as np
from torch import Tensor


def in_one_block(results: dict[str, Any]) -> dict[str, Any]:
    """A picture that Pillow has read, turned to BGR in memory, too.

    It is a view with its channels turned, which each later transform would
    copy value by value.

    Args:
        results: What a transform makes of a file; changed in place.
    """
    img = results['img']
    turned = img.ndim == 3 and img.shape[2] == 3 and img.strides[2] < 0
    if turned and img.dtype == np.uint8:
        results['img'] = cv2.cvtColor(img[..., ::-1], cv2.COLOR_RGB2BGR)
    return results


def run_lengths(masks: Any) -> list[dict[str, Any]]:
    """Masks (N, H, W) in COCO's compressed run-length code."""
    from pycocotools import mask as coco

    if isinstance(masks, Tensor):
        masks = masks.cpu().numpy()
    codes = []
    for mask in masks:
        code = coco.encode(np.asfortranarray(mask, np.uint8))
        size, counts = code['size'], code['counts'].decode()
        codes.append(dict(size=list(map(int, size)), counts=counts))
    return codes
