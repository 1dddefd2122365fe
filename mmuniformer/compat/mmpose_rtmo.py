"""``mmpose.models.heads.hybrid_heads.rtmo_head`` where there is no mmdet.

mmpose 1.3 takes mmdet for optional, as its detectors of people are, and its
requirements do not name it; but one head imports it, and ``import
mmpose.models`` fails as a whole. This stands in for the module of that head.
(No upstream issue; mmpose was frozen before.)
"""

from mmpose.registry import MODELS


@MODELS.register_module()
class RTMOHead:
    """Head of RTMO: only a name here."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise NotImplementedError(
            'RTMOHead needs mmdet, which does not import here; pip install '
            'mmdet'
        )
