"""Who waits: the processor for data, or data for the processor."""

import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner

from ..errors import UserError
from ..registry import HOOKS

# Share of the time above which there is advice.
MUCH = 0.3


@HOOKS.register_module()
class WaitingHook(Hook):
    """Says which share of the time a training waited for data.

    Once per epoch, or per ``interval`` iterations where there are no epochs.
    Above 30 % it says what helps.

    Args:
        interval: In iterations.

    Raises:
        UserError: ``interval`` is no positive number.
    """

    priority = 'VERY_LOW'  # behind the one that measures

    def __init__(self, interval: int = 2000) -> None:
        if not isinstance(interval, int) or interval < 1:
            raise UserError(
                f'WaitingHook.interval={interval!r}: wanted a positive number'
            )
        self.interval = interval
        self.waited = self.whole = 0.0

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Adds the times of an iteration, as IterTimerHook has them."""
        scalars = runner.message_hub.log_scalars
        if batch_idx and 'train/time' in scalars:  # the first one starts up
            self.waited += scalars['train/data_time'].current()
            self.whole += scalars['train/time'].current()
        by_iter = isinstance(runner.train_loop, IterBasedTrainLoop)
        if by_iter and self.every_n_train_iters(runner, self.interval):
            self.say(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Says it, at the end of an epoch."""
        self.say(runner)

    def say(self, runner: Runner) -> None:
        """Says it of what came since the last time."""
        if not self.whole:
            return
        share = self.waited / self.whole
        self.waited = self.whole = 0.0
        text = f'waited for data: {share:.0%} of the time'
        if share < MUCH:
            print_log(text, logger='current')
            return
        workers = getattr(runner.train_dataloader, 'num_workers', 0)
        print_log(
            f'{text}; what helps: more train_dataloader.num_workers '
            f'({workers} now) if there are processors for them, smaller '
            f'pictures or videos on disk, options of docs/loading.md',
            logger='current',
            level=logging.WARNING,
        )
