"""The learning rate of the authors' image classifiers."""

from math import cos, pi
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler

from ..registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    """A line up, then a cosine that counts from epoch 0; one step per epoch.

    Source: ``CosineLRScheduler`` of timm 0.4.12. mmengine's schedulers cannot
    be combined to it: its cosine starts where the warm-up ends, and none of
    them can be late.

    Args:
        optimizer: The optimizer, or its wrapper.
        epochs: Length of the cosine; the rate stays at ``min_lr`` after it.
        warmup_epochs: Length of the line; the cosine is cut off by as much.
        warmup_lr: First rate, not scaled with the batch size.
        min_lr: Last rate, not scaled with the batch size.
        lag: Epochs by which the schedule is late. The trainer of the normal
            and the light models steps with e at the end of epoch e, so that
            epochs 0 and 1 have the first rate: 1.
        kwargs: Arguments of all schedulers.
    """

    def __init__(
        self,
        optimizer: Any,
        epochs: int,
        warmup_epochs: int,
        warmup_lr: float,
        min_lr: float,
        lag: int = 0,
        **kwargs: Any,
    ) -> None:
        self.epochs = epochs
        self.warmup_epochs = warmup_epochs
        self.warmup_lr = warmup_lr
        self.min_lr = min_lr
        self.lag = lag
        super().__init__(optimizer, **kwargs)

    def _get_value(self) -> list[float]:
        """The rate of each group of parameters."""
        epoch = max(self.last_step - self.lag, 0)
        if epoch < self.warmup_epochs:
            low, share = self.warmup_lr, epoch / self.warmup_epochs
        else:
            angle = pi * min(epoch / self.epochs, 1)
            low, share = self.min_lr, (1 + cos(angle)) / 2
        return [low + share * (rate - low) for rate in self.base_values]
