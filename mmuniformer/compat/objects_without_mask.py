"""Objects that have a box and no mask, among others that have one.

mmdet leaves out the key ``mask`` of such an object and then asks for it: a
training of Mask R-CNN ends with a KeyError in a worker at the first of them
(mmdetection#9993, #10961, #10193). Here the object trains the boxes and the
classes, and not the masks.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def apply_to_loading(loading: ModuleType) -> None:
    """Has mmdet's LoadAnnotations give such an object an empty mask."""
    import numpy as np

    process = loading.LoadAnnotations._process_masks

    def process_masks(self: Any, results: dict[str, Any]) -> list[Any]:
        instances = results.get('instances', [])
        without = [
            i
            for i, one in enumerate(instances)
            if not any(one.get('mask') or ())  # polygons of no point
        ]
        if not without:
            return process(self, results)
        flags = [instances[i]['ignore_flag'] for i in without]
        for i in without:
            instances[i]['mask'] = []
        masks = process(self, results)
        for i, flag in zip(without, flags):
            del instances[i]['mask']
            instances[i]['ignore_flag'] = flag
            results['gt_ignore_flags'][i] = bool(flag)
            masks[i] = [np.zeros(6)]
        return masks

    loading.LoadAnnotations._process_masks = process_masks


def apply_to_head(head: ModuleType) -> None:
    """Has mmdet's mask heads leave out objects of an empty mask."""
    import torch

    loss = head.FCNMaskHead.loss_and_target

    def loss_and_target(
        self: Any, mask_preds: Tensor, sampling_results: Any,
        batch_gt_instances: Any, rcnn_train_cfg: Any,
    ) -> dict[str, Any]:  # fmt: skip
        done = loss(
            self, mask_preds, sampling_results, batch_gt_instances,
            rcnn_train_cfg,
        )  # fmt: skip
        targets = done['mask_targets']
        if not len(targets) or targets.flatten(1).any(1).all():
            return done
        keep = targets.flatten(1).any(1) | torch.cat(
            [
                torch.as_tensor(gt.masks.areas > 0, device=targets.device)[
                    result.pos_assigned_gt_inds
                ]
                for gt, result in zip(batch_gt_instances, sampling_results)
                if len(gt)
            ]
        )
        if keep.all():
            return done
        labels = torch.cat([r.pos_gt_labels for r in sampling_results])[keep]
        if self.class_agnostic:
            labels = torch.zeros_like(labels)
        value = mask_preds.sum() * 0
        if keep.any():
            value = self.loss_mask(mask_preds[keep], targets[keep], labels)
        done['loss_mask']['loss_mask'] = value
        return done

    head.FCNMaskHead.loss_and_target = loss_and_target
