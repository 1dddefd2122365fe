"""For mmpretrain: what is done to whole batches on the device."""

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.models.utils import ClsDataPreprocessor as Preprocessor
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class ClsDataPreprocessor(Preprocessor):
    """mmpretrain's class of this name; it erases boxes, too.

    The boxes are drawn by ``mmuniformer.TimmRandomErasing`` with
    ``on_device=True``; they are filled after normalisation and before batches
    are mixed, as timm's loader does it.
    """

    batch_augments: Any

    def forward(self, data: dict, training: bool = False) -> dict:
        """As of the base class."""
        samples = data.get('data_samples') or ()
        boxes = [sample.metainfo.get('erase_box') for sample in samples]
        if not training or not any(boxes):
            return super().forward(data, training)
        augments, self.batch_augments = self.batch_augments, None
        try:
            data = super().forward(data, training)
        finally:
            self.batch_augments = augments
        erase(data['inputs'], boxes)
        if augments is not None:
            scores = torch.stack([s.gt_score for s in data['data_samples']])
            data['inputs'], scores = augments(data['inputs'], scores)
            for sample, score in zip(data['data_samples'], scores):
                sample.set_gt_score(score)
        return data


def erase(inputs: Tensor, boxes: Sequence[Any]) -> None:
    """Fills boxes with noise that is N(0, 1), in place.

    Args:
        inputs: Normalised pictures (B, C, H, W).
        boxes: Top, left, height and width by picture; None: nothing.
    """
    for image, box in zip(inputs, boxes):
        if box:
            top, left, height, width = box
            part = image[:, top : top + height, left : left + width]
            part.copy_(torch.randn_like(part))
