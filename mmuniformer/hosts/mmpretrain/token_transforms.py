"""For mmpretrain: label maps, read and transformed with their pictures."""

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from ...errors import LocalUserError, UserError
from ...registry import TRANSFORMS
from ...weights.alike import Alike
from ..pixels.planes import mirrored
from .resample import resized


@TRANSFORMS.register_module()
class LoadTokenLabel(BaseTransform):
    """Reads the label map of a picture.

    A map is a file ``CLASS/NAME.pt`` like the picture's ``CLASS/NAME.JPEG``:
    a tensor (2, T, h, w) with the T best scores of each cell, before softmax,
    and the classes that have them. So are the authors' files, and those of
    ``tools/make_token_labels.py``.

    Args:
        folder: The folder of the maps.
        num_classes: Refuse maps with classes beyond.
    """

    def __init__(self, folder: str, num_classes: int = 1000) -> None:
        self.folder = folder
        self.num_classes = num_classes
        self.cells: tuple[int, ...] = ()
        self.files = Alike()

    def transform(self, results: dict) -> dict:
        """Adds ``token_label`` (2, T, h, w); needs ``img_path``."""
        picture = Path(results['img_path'])
        path = Path(self.folder, picture.parent.name, f'{picture.stem}.pt')
        try:
            label = self.files.read(path)
        except UserError as error:
            message = str(error).replace('checkpoint', 'label map', 1)
            raise LocalUserError(message) from error
        self._check(path, label)
        results['token_label'] = label.float().numpy()
        return results

    def _check(self, path: Path, label: torch.Tensor) -> None:
        shape = tuple(getattr(label, 'shape', ()))
        if len(shape) != 4 or shape[0] != 2:
            raise LocalUserError(
                f'label map {str(path)!r} has the shape {shape}; wanted '
                f'(2, scores per cell, height, width)'
            )
        self.cells = self.cells or shape
        if shape != self.cells:
            raise LocalUserError(
                f'label map {str(path)!r} has the shape {shape}, others have '
                f'{self.cells}'
            )
        classes = label[1].float().numpy()
        top = int(classes.max())
        if top >= self.num_classes or classes.min() < 0:
            raise LocalUserError(
                f'label map {str(path)!r} has class {top}, but there are '
                f'{self.num_classes} classes, from 0'
            )


@TRANSFORMS.register_module()
class TokenLabelFlip(BaseTransform):
    """Flips a picture and its label map, left to right.

    Args:
        prob: Probability of a flip.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Changes ``img`` (H, W, 3) and ``token_label`` (2, T, h, w)."""
        if np.random.rand() < self.prob:
            results['img'] = mirrored(results['img'])
            results['token_label'] = np.flip(results['token_label'], 3).copy()
        return results


@TRANSFORMS.register_module()
class TokenLabelCrop(BaseTransform):
    """Crops a picture at random and notes where; its label map stays whole.

    Source: ``RandomResizedCropAndInterpolationWithCoords`` of the authors.

    Args:
        scale: Side of the result.
        crop_ratio_range: Area of the crop, as a share of the picture's.
        aspect_ratio_range: Width over height of the crop.
        interpolations: To choose from, each time.
    """

    def __init__(
        self,
        scale: int,
        crop_ratio_range: tuple[float, float] = (0.08, 1.0),
        aspect_ratio_range: tuple[float, float] = (3 / 4, 4 / 3),
        interpolations: Sequence[str] = ('bilinear', 'bicubic'),
    ) -> None:
        self.scale = scale
        self.areas = crop_ratio_range
        self.aspects = aspect_ratio_range
        self.interpolations = tuple(interpolations)

    def place(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of a crop, as in torchvision."""
        low, high = map(math.log, self.aspects)
        for _ in range(10):
            area = random.uniform(*self.areas) * height * width
            aspect = math.exp(random.uniform(low, high))
            h, w = (round(math.sqrt(area * r)) for r in (1 / aspect, aspect))
            if 0 < h <= height and 0 < w <= width:
                top = random.randint(0, height - h)
                return top, random.randint(0, width - w), h, w
        h = min(height, round(width / self.aspects[0]))
        w = min(width, round(height * self.aspects[1]))
        return (height - h) // 2, (width - w) // 2, h, w

    def transform(self, results: dict) -> dict:
        """Changes ``img``, makes tensors of ``token_label``, ``crop_box``."""
        image = results['img']
        height, width = image.shape[:2]
        top, left, h, w = self.place(height, width)
        results['img'] = resized(
            image,
            (left, top, left + w, top + h),
            (self.scale, self.scale),
            random.choice(self.interpolations),
        )
        results['img_shape'] = (self.scale, self.scale)
        results['token_label'] = torch.from_numpy(results['token_label'])
        results['crop_box'] = torch.tensor(
            [
                top / height,
                left / width,
                (top + h) / height,
                (left + w) / width,
            ]
        )
        return results
