"""For mmaction2: Mixup and CutMix as the recipes pair their clips."""

from typing import Any

import torch
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class ClipMix:
    """Mixup and CutMix by timm of the clips of a batch, for ``blending``.

    One of the two, at random, with one ratio or box for all: the first clip
    is mixed with the last one, the second with the last but one. In small
    batches this matters: mmaction2's ``RandomBatchAugment`` mixes a share
    of 1 in N clips with themselves, and not both of a pair in the same way.

    Source: ``mixup.py`` of the official ``slowfast/datasets``.

    Args:
        num_classes: Length of the labels.
        mixup: Both parameters of Mixup's beta distribution.
        cutmix: Those of CutMix.
    """

    def __init__(
        self, num_classes: int, mixup: float = 0.8, cutmix: float = 1.0
    ) -> None:
        from timm.data.mixup import Mixup

        # The head smooths the labels.
        self.mix = Mixup(
            mixup, cutmix, label_smoothing=0, num_classes=num_classes
        )

    def __call__(
        self, inputs: Tensor, data_samples: list[Any]
    ) -> tuple[Tensor, list[Any]]:
        """Mixes ``inputs`` (B, 1, C, T, H, W), in place, and the labels."""
        labels = torch.cat([sample.gt_label for sample in data_samples])
        mixed, labels = self.mix(inputs.flatten(1, -3), labels)
        for sample, label in zip(data_samples, labels):
            sample.set_gt_label(label)
        return mixed.view_as(inputs), data_samples
