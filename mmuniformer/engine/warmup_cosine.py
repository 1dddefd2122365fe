"""The learning rate of the authors' classifiers."""

from math import cos, pi
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler

from ..registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    """A line up, then a cosine.

    Source: images, ``CosineLRScheduler`` of timm 0.4.12, one step per epoch
    and a cosine that counts from epoch 0; video, ``lr_policy.py`` of
    SlowFast, one step per iteration (``convert_to_iter_based=True``) and a
    cosine that counts from the end of the line. mmengine's schedulers cannot
    be combined to the first, since its cosine starts where the warm-up ends
    and none of them can be late; of the second they would finish the line an
    iteration early, and start it in proportion to the base rate.

    Args:
        optimizer: The optimizer, or its wrapper.
        epochs: Length of the cosine; the rate stays at ``min_lr`` after it.
        warmup_epochs: Length of the line; the cosine is cut off by as much.
        warmup_lr: First rate, not scaled with the batch size.
        min_lr: Last rate, not scaled with the batch size.
        lag: Epochs by which the schedule is late. The trainer of the normal
            and the light models steps with e at the end of epoch e, so that
            epochs 0 and 1 have the first rate: 1.
        after_warmup: The cosine counts from the end of the line.
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
        after_warmup: bool = False,
        **kwargs: Any,
    ) -> None:
        self.epochs = epochs
        self.warmup_epochs = warmup_epochs
        self.warmup_lr = warmup_lr
        self.min_lr = min_lr
        self.lag = lag
        self.start = warmup_epochs if after_warmup else 0
        super().__init__(optimizer, **kwargs)

    @classmethod
    def build_iter_from_epoch(
        cls, *args: Any, epoch_length: int, **kwargs: Any
    ) -> 'WarmupCosineLR':
        """One that counts in iterations, from arguments in epochs."""
        for name in ('epochs', 'warmup_epochs', 'lag', 'begin', 'end'):
            if name in kwargs:
                kwargs[name] *= epoch_length
        kwargs['by_epoch'] = False
        return cls(*args, **kwargs)

    def _get_value(self) -> list[float]:
        """The rate of each group of parameters."""
        epoch = max(self.last_step - self.lag, 0)
        if epoch < self.warmup_epochs:
            low, share = self.warmup_lr, epoch / self.warmup_epochs
        else:
            share = (epoch - self.start) / (self.epochs - self.start)
            angle = pi * min(share, 1)
            low, share = self.min_lr, (1 + cos(angle)) / 2
        return [low + share * (rate - low) for rate in self.base_values]
