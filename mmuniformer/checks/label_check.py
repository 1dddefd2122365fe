"""Stops at label maps that do not fit the model."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from ..errors import LocalUserError
from ..registry import HOOKS
from ..weights.load import bare_model


@HOOKS.register_module()
class LabelCheckHook(Hook):
    """Names the file of a label that the model has no class for.

    Otherwise the loss of such a pixel ends on a GPU in a failed assertion
    that names nothing, and a test leaves it out in silence.
    """

    def _before_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        mode: str = 'train',
    ) -> None:
        """Looks at the labels before they are moved to the GPU.

        Raises:
            LocalUserError: A label is outside the classes.
        """
        head = getattr(bare_model(runner.model), 'decode_head', None)
        samples = (data_batch or {}).get('data_samples') or []
        if head is None or not samples:
            return
        # Test-time augmentation: the labels are those of the first variant.
        for sample in samples[0] if isinstance(samples[0], list) else samples:
            if 'gt_sem_seg' in sample:
                labels = sample.gt_sem_seg.data
                check_labels(
                    labels, sample, head.num_classes, head.ignore_index
                )


def check_labels(
    labels: Tensor, sample: Any, num_classes: int, ignore_index: int
) -> None:
    """Raises LocalUserError if a label is outside the classes.

    Args:
        labels: As the model gets them, of any shape.
        sample: A data sample that says where they come from.
        num_classes: Labels are from 0 to one less than this.
        ignore_index: The label of pixels that do not count.
    """
    strange = labels[(labels >= num_classes) & (labels != ignore_index)]
    if len(strange):
        first = int(sample.get('reduce_zero_label', False))
        values = (strange.unique() + first).tolist()
        raise LocalUserError(
            f'seg_map_path={sample.get("seg_map_path")!r}: label '
            f'{", ".join(map(str, values[:8]))} in the file; the model has '
            f'{num_classes} classes, {first} to {num_classes - 1 + first}. '
            f'Correct the file, or set num_classes of the heads'
        )
