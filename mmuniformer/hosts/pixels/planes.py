"""Pictures whose channels are stored one after another.

The hosts' transforms see arrays (H, W, 3); a network takes (3, H, W). What
turns the one into the other byte by byte, as NumPy and PyTorch do, takes ten
times as long as OpenCV, and so does a copy of a flipped view.
"""

from typing import Any

import cv2
import numpy as np


def is_plain(image: Any) -> bool:
    """Whether an image is an array (H, W, 3) of bytes."""
    return (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] == 3
        and image.size > 0
    )


def are_planes(image: np.ndarray) -> bool:
    """Whether the channels of an array (H, W, 3) lie one after another."""
    return bool(image.transpose(2, 0, 1).flags.c_contiguous)


def planes_of(image: np.ndarray) -> np.ndarray:
    """The channels (3, H, W) of a picture (H, W, 3) of bytes, without gaps.

    They are the memory of the picture where it has them so.
    """
    if are_planes(image):
        return image.transpose(2, 0, 1)
    height, width = image.shape[:2]
    planes = np.empty((3, height, width), np.uint8)
    if image.strides[1] == -3:
        cv2.split(np.ascontiguousarray(image[:, ::-1]), list(planes))
        cv2.flip(planes.reshape(-1, width), 1, planes.reshape(-1, width))
    else:
        cv2.split(np.ascontiguousarray(image), list(planes))
    return planes


def planar(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) of bytes, whose channels become planes in memory.

    Its transpose (3, H, W) has no gaps, so that packing copies nothing.
    """
    return planes_of(image).transpose(1, 2, 0)


def straight(image: np.ndarray) -> np.ndarray:
    """An array (H, W, 3) of bytes without gaps, of any that has them."""
    if image.strides[1] == -3:
        return cv2.flip(straight(image[:, ::-1]), 1)
    if image.strides[1] == 1:  # planes, or a part of them
        return cv2.merge(list(image.transpose(2, 0, 1)))
    return np.ascontiguousarray(image)


def mirrored(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) of bytes, left to right."""
    if not are_planes(image):
        return cv2.flip(straight(image), 1)
    lines = planes_of(image).reshape(-1, image.shape[1])
    return cv2.flip(lines, 1).reshape(3, *image.shape[:2]).transpose(1, 2, 0)
