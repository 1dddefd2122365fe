"""For mmdet: its transforms of training, with the same results, sooner."""

from mmdet.datasets.transforms import LoadAnnotations as Load
from mmdet.datasets.transforms import PackDetInputs as Pack

from ...registry import TRANSFORMS
from ..pixels.planes import is_plain, planar
from .masks import LocalMasks, part_of


@TRANSFORMS.register_module()
class LoadAnnotations(Load):
    """mmdet's transform of this name; masks are kept where they are not empty.

    Args:
        args: As of the base class.
        kwargs: As of the base class.
    """

    def _load_masks(self, results: dict) -> None:
        """Adds ``gt_masks``."""
        if not self.poly2mask:
            super()._load_masks(results)
            return
        height, width = results['ori_shape']
        parts = [
            part_of(self._poly2mask(mask, height, width))
            for mask in self._process_masks(results)
        ]
        results['gt_masks'] = LocalMasks.of(parts, height, width)


@TRANSFORMS.register_module()
class PackDetInputs(Pack):
    """mmdet's transform of this name; pictures are turned once, by OpenCV.

    Args:
        args: As of the base class.
        kwargs: As of the base class.
    """

    def transform(self, results: dict) -> dict:
        """``inputs`` (3, H, W) and ``data_samples``."""
        if is_plain(results.get('img')):
            results['img'] = planar(results['img'])
        return super().transform(results)
