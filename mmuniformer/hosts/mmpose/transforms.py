"""For mmpose: its transforms of training, with the same results, sooner."""

from mmpose.datasets.transforms import TopdownAffine as Affine

from ...registry import TRANSFORMS
from ..pixels.planes import is_plain, straight


@TRANSFORMS.register_module()
class TopdownAffine(Affine):
    """mmpose's transform of this name; flipped pictures are copied sooner.

    Args:
        args: As of the base class.
        kwargs: As of the base class.
    """

    def transform(self, results: dict) -> dict | None:
        """Changes ``img`` and adds the places of the key points in it."""
        if is_plain(results.get('img')):
            results['img'] = straight(results['img'])
        return super().transform(results)
