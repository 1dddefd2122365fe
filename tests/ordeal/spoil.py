"""A hook that puts a number that is none into a batch."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class SpoilHook(Hook):
    """Spoils the pictures of one iteration.

    Args:
        at: The iteration, counted from 0.
        value: What takes the place of a part of the first sample.
    """

    priority = 'VERY_HIGH'

    def __init__(self, at: int = 1, value: str = 'nan') -> None:
        self.at = at
        self.value = float(value)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        """Changes the batch in place."""
        if runner.iter != self.at:
            return
        inputs = data_batch['inputs']
        if isinstance(inputs, torch.Tensor):
            data_batch['inputs'] = inputs = inputs.float()
            inputs[0, ..., :8] = self.value
        else:
            inputs[0] = inputs[0].float()
            inputs[0][..., :8] = self.value
