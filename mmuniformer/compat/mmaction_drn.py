"""``mmaction.models.localizers.drn``, missing from the wheel of mmaction2.

``mmaction.models`` imports it, and fails as a whole without it
(mmaction2#2714). It stands in for the package and for its one module.
"""

from mmaction.registry import MODELS

__path__: list[str] = []


@MODELS.register_module()
class DRN:
    """Dense Regression Network: only a name here."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise NotImplementedError(
            'DRN is missing from the wheel of mmaction2 1.2.0 '
            '(open-mmlab/mmaction2#2714); install mmaction2 from its sources'
        )
