"""Regions of interest keep their places in mixed precision.

mmdet rounds them to the dtype of the features (SingleRoIExtractor): at 1,000
pixels a region is up to 4 pixels off in bfloat16, and 0.25 in float16. Its
version 2, with which the recipes were trained, pooled in single precision
(``force_fp32(apply_to=('feats',), out_fp16=True)``), and so does this.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def apply(extractors: ModuleType) -> None:
    """Has the extractor pool in the dtype of the regions."""
    extractor = extractors.SingleRoIExtractor
    pool = extractor.forward

    def forward(
        self: Any, feats: Any, rois: Tensor, *args: Any, **kwargs: Any
    ) -> Tensor:
        low = feats[0].dtype
        if low.itemsize < rois.dtype.itemsize:
            feats = tuple(x.to(rois.dtype) for x in feats)
        return pool(self, feats, rois, *args, **kwargs).to(low)

    extractor.forward = forward
