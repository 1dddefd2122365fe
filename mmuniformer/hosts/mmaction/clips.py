"""For mmaction2: augmentation of whole clips, as published.

All frames of a clip get the same draws. mmaction2 has transforms for most of
this, on bytes; the recipes resize in floating point, which keeps fractions.
Frames are ``imgs``: T arrays (H, W, 3), as a list or as one array.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from torch.nn import functional as F

from ...registry import TRANSFORMS
from ..mmpretrain.timm_policy import Erasing, auto_augment
from ..pixels.rounding import kept
from ..pixels.whole import Clip

GREY = (128, 128, 128)


def resize(frames: Sequence[np.ndarray], height: int, width: int) -> Any:
    """Bilinear, without smoothing, to floats.

    Args:
        frames: T arrays (H, W, C) of one size.
        height: New height in pixels.
        width: New width.

    Returns:
        One array (T, height, width, C).
    """
    # Channels stay last, for torch too: nothing is copied to turn them.
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float()
    resized = F.interpolate(
        pixels, (height, width), mode='bilinear', align_corners=False
    )
    return resized.permute(0, 2, 3, 1).contiguous().numpy()


def resize_soon(frames: Sequence[np.ndarray], height: int, width: int) -> Any:
    """What :func:`resize` does, by OpenCV, which is four times as fast.

    Values differ by less than 0.01 of 255.
    """
    shape = len(frames), height, width, frames[0].shape[2]
    resized = np.empty(shape, np.float32)
    for frame, found in zip(frames, resized):
        pixels = kept('pixels', frame.shape, np.float32)
        np.copyto(pixels, frame)
        cv2.resize(pixels, (width, height), found)
    return resized


@TRANSFORMS.register_module()
class ClipAutoAugment(BaseTransform):
    """RandAugment by timm, the same operations on all frames.

    Translations are shares of the sides of the frame, up to 0.45.

    Source: ``rand_augment.py`` of the official ``slowfast/datasets``.

    Args:
        policy: As timm spells it: 'rand-m7-n4-mstd0.5-inc1' and so on.
        fill: Values of new pixels.
        interpolation: 'bicubic' or 'bilinear'.
    """

    def __init__(
        self,
        policy: str,
        fill: tuple[int, int, int] = GREY,
        interpolation: str = 'bicubic',
    ) -> None:
        self.policy = auto_augment(policy, fill, interpolation)

    def transform(self, results: dict) -> dict:
        """Changes ``imgs`` (H, W, 3), bytes."""
        results['imgs'] = self.policy(Clip.of(results['imgs'])).frames()
        return results


@TRANSFORMS.register_module()
class ClipResizedCrop(BaseTransform):
    """Crops a random box, the same of all frames, and resizes it.

    Args:
        size: Height and width of the result in pixels.
        scale: Least and greatest share of the area.
        ratio: Least and greatest width in heights; logarithms are uniform.
    """

    resize = staticmethod(resize_soon)

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        self.size = size
        self.scale = scale
        self.ratio = ratio

    def transform(self, results: dict) -> dict:
        """Changes ``imgs`` to floats (T, size, size, 3)."""
        from torchvision.transforms import RandomResizedCrop

        whole = torch.empty(0, *results['imgs'][0].shape[:2])
        top, left, height, width = RandomResizedCrop.get_params(
            whole, list(self.scale), list(self.ratio)
        )
        box = np.s_[top : top + height, left : left + width]
        frames = [frame[box] for frame in results['imgs']]
        results['imgs'] = self.resize(frames, self.size, self.size)
        results['img_shape'] = (self.size, self.size)
        return results


@TRANSFORMS.register_module()
class ClipErasing(BaseTransform):
    """Fills one box of all frames with noise that is N(0, 1) in the network.

    The noise of each pixel, channel and frame is its own.

    Args:
        prob: Probability to erase.
        mean: Mean of the normalisation, in the order of the channels.
        std: Its standard deviation.
    """

    def __init__(
        self,
        prob: float,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        self.erase = Erasing(prob, mean, std)

    def transform(self, results: dict) -> dict:
        """Changes ``imgs`` to floats (T, H, W, 3) with a box of noise."""
        frames = np.asarray(results['imgs'], np.float32)
        self.erase(frames)
        results['imgs'] = frames
        return results


@TRANSFORMS.register_module()
class ReverseChannels(BaseTransform):
    """From red, green, blue to blue, green, red, or back.

    The authors trained on raw frames as OpenCV reads them, blue first.
    """

    def transform(self, results: dict) -> dict:
        """Changes ``imgs``."""
        results['imgs'] = [mmcv.rgb2bgr(frame) for frame in results['imgs']]
        return results


@TRANSFORMS.register_module()
class ShuffleFrames(BaseTransform):
    """Puts the frames of each clip into a random order.

    What a model then loses is what it has learned from motion.
    """

    def transform(self, results: dict) -> dict:
        """Changes the order of ``imgs``; needs ``clip_len``."""
        places = np.arange(len(results['imgs']))
        clips = places.reshape(-1, results['clip_len'])
        results['imgs'] = [
            results['imgs'][place]
            for clip in clips
            for place in np.random.permutation(clip)
        ]
        return results


@TRANSFORMS.register_module()
class RepeatedAugment(BaseTransform):
    """Augments the frames of a video, which are decoded once, several times.

    To be the last of a pipeline, with ``collate_fn`` ``repeat_pseudo_collate``
    of mmaction2: a batch has ``num_repeats`` clips of each video.

    Args:
        num_repeats: Clips of a video.
        transforms: What makes a clip of the frames.
    """

    def __init__(
        self, num_repeats: int, transforms: list[dict[str, Any]]
    ) -> None:
        self.num_repeats = num_repeats
        self.transforms = Compose(transforms)
        # Some transforms work in place; those of ours leave their frames.
        first = self.transforms.transforms[:1]
        ours = ClipAutoAugment, ClipResizedCrop
        self.copies = not all(isinstance(t, ours) for t in first)

    def transform(self, results: dict) -> Any:
        """A list of the results of ``transforms``."""
        frames = results['imgs']
        return [
            self.transforms(
                dict(
                    results,
                    imgs=[f.copy() if self.copies else f for f in frames],
                )
            )
            for _ in range(self.num_repeats)
        ]
