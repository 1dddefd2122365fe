"""For mmpretrain: the training augmentation of the recipes, timm's own.

mmpretrain has operations of the same names; some give other pixels at the
same level. Only the transforms need timm, and only when they are built.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from PIL import Image

from ...registry import TRANSFORMS
from ..pixels.planes import planes_of
from ..pixels.whole import Clip
from .timm_policy import Boxes, Erasing, auto_augment, operations

# What timm fills with: the mean of ImageNet in bytes.
IMAGE_MEAN = (124, 116, 104)
# Operations that move pixels.
SPATIAL = ('Rotate', 'Shear', 'Translate')


@TRANSFORMS.register_module()
class TimmAutoAugment(BaseTransform):
    """RandAugment and AutoAugment by timm.

    What moves pixels moves the cells of a ``token_label`` alike, at the map's
    own resolution; new cells have no scores. A rotation turns the map about
    its true centre; the authors' turns it about a point that is half a cell
    off.

    Args:
        policy: As timm spells it: 'v0', 'rand-m9-mstd0.5-inc1' and so on.
        size: Side of the network's input, which limits some translations.
        fill: Red, green and blue of new pixels.
        interpolation: 'bicubic', 'bilinear', or 'random': one of the two.
    """

    def __init__(
        self,
        policy: str,
        size: int = 224,
        fill: tuple[int, int, int] = IMAGE_MEAN,
        interpolation: str = 'bicubic',
    ) -> None:
        self.policy = auto_augment(policy, fill, interpolation, size)
        self.label: Any = None
        for op in operations(self.policy):
            if op.name.startswith(SPATIAL):
                op.aug_fn = partial(self.move, op.aug_fn)

    def move(
        self, function: Callable[..., Any], picture: Any, *args: Any, **kw: Any
    ) -> Any:
        """Moves the pixels of the picture and the cells of its label."""
        if self.label is not None:
            cells = self.label.shape[2:]
            places = np.arange(1, cells[0] * cells[1] + 1, dtype=np.int32)
            nearest = dict(resample=Image.Resampling.NEAREST, fillcolor=0)
            moved = function(
                Image.fromarray(places.reshape(cells)), *args, **nearest
            )
            # Cells from outside have no scores.
            planes = self.label.reshape(*self.label.shape[:2], -1)
            planes = np.pad(planes, ((0, 0), (0, 0), (1, 0)))
            self.label = planes[..., np.asarray(moved)]
        return function(picture, *args, **kw)

    def transform(self, results: dict) -> dict:
        """Changes ``img`` (H, W, 3), bytes, blue first, and its label."""
        self.label = results.get('token_label')
        clip = Clip(
            np.ascontiguousarray(planes_of(results['img'])[None, ::-1])
        )
        planes = self.policy(clip).planes[0]
        image = np.ascontiguousarray(planes[::-1]).transpose(1, 2, 0)
        results['img'] = image
        if self.label is not None:
            results['token_label'] = self.label
        return results


@TRANSFORMS.register_module()
class TimmRandomErasing(BaseTransform):
    """Random erasing by timm, with noise that is N(0, 1) in the network.

    mmpretrain's RandomErasing cuts the noise to bytes; here it stays as it is.

    Args:
        prob: Probability to erase.
        mean: Mean of the normalisation, blue first as in the image.
        std: Its standard deviation.
        on_device: Only draw the box; ``mmuniformer.PackInputs`` hands it over
            to ``mmuniformer.ClsDataPreprocessor``, which fills it on the
            device. Pictures stay bytes, a quarter of the size.
    """

    def __init__(
        self,
        prob: float,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        on_device: bool = False,
    ) -> None:
        self.boxes = Boxes(prob) if on_device else None
        self.erase = Erasing(prob, mean, std)

    def transform(self, results: dict) -> dict:
        """Changes ``img`` (H, W, 3) to floats and fills a box of it.

        On the device: adds ``erase_box`` in place of that.
        """
        if self.boxes:
            results['erase_box'] = self.boxes.box(*results['img'].shape[:2])
            return results
        image = results['img'].astype(np.float32)
        self.erase(image[None])
        results['img'] = image
        return results
