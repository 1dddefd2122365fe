"""Saves between epochs, and when a training is asked to end."""

import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import (
    all_gather_object,
    all_reduce,
    barrier,
    get_rank,
    get_world_size,
)
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner

from ..compat import whole_files
from ..compat.behind import CHECKPOINTS
from ..errors import UserError
from ..registry import HOOKS
from . import signals
from .finding import checkpoint_hook

INTERIM = 'interim_iter_{}.pth'
UNITS = dict(s=1, sec=1, min=60, m=60, h=3600)
# How often processes tell each other what they were asked.
TALK_SECONDS = 0.5


def seconds(text: Any) -> float:
    """The seconds of '90s', '30min', '2h' or a number.

    Raises:
        UserError: It is none of these.
    """
    match = re.fullmatch(r'(\d+\.?\d*)\s*([a-z]*)', str(text).strip())
    if match and (match[2] or 's') in UNITS and float(match[1]) > 0:
        return float(match[1]) * UNITS[match[2] or 's']
    raise UserError(f'save_every={text!r}: wanted a time as 90s, 30min or 2h')


class StoppedInValidation(signals.Stopped):
    """The same, while averaged weights may be in the place of the others."""


@HOOKS.register_module()
class StopHook(Hook):
    """Saves by the clock, and ends a training that is asked to end.

    On SIGTERM, SIGUSR1 or ^C all processes finish the same step, the first
    one saves a checkpoint and :class:`signals.Stopped` is raised. What it
    saves in the middle of an epoch goes when a newer checkpoint is there.

    Args:
        save_every: Time between two checkpoints, as '30min'; besides those
            of the CheckpointHook.
    """

    priority = 'LOWEST'  # behind the CheckpointHook

    def __init__(self, save_every: str | float | None = None) -> None:
        self.save_every = seconds(save_every) if save_every else None
        self.saved_at = time.monotonic()
        self.talk_at = 0
        self.talked: tuple[float, int] | None = None
        self.last: str | None = None
        self.talks = True

    def before_train(self, runner: Runner) -> None:
        """Listens from now on."""
        signals.listen()
        self.saved_at = time.monotonic()
        self.talk_at = runner.iter + 1
        self.talked = None

    def after_run(self, runner: Runner) -> None:
        """Listens no longer."""
        signals.ignore()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, *_: Any, **__: Any
    ) -> None:
        """Saves, or ends the training, if it is time for it.

        Raises:
            signals.Stopped: The training was asked to end.
        """
        self.notice(runner)
        done = runner.iter + 1
        wrapper: Any = runner.optim_wrapper
        steps = getattr(wrapper, '_accumulative_counts', 1)
        if done % steps:  # gradients are not saved
            return
        signal, due = self.agree(done)
        if signal or due:
            epoch = runner.epoch
            self.save(runner, epoch, done)
        if signal:
            CHECKPOINTS.wait()
            barrier()  # nobody ends before the file is there
            by_epoch = not isinstance(runner.train_loop, IterBasedTrainLoop)
            where = f'iteration {batch_idx + 1 if by_epoch else done}'
            raise signals.Stopped(
                stopped_line(runner, where), signals.status(signal)
            )

    def after_train_epoch(self, runner: Runner) -> None:
        """Removes what is saved better now."""
        self.notice(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Ends the training instead of a validation.

        Raises:
            StoppedInValidation: The training was asked to end.
        """
        batches = len(runner.val_dataloader)
        # Processes with fewer batches would not answer the others.
        self.talks = len(set(all_gather_object(batches))) == 1
        self.talk_at = 0
        self.talked = None
        self.stop_validation(runner, 0)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, *_: Any, **__: Any
    ) -> None:
        """Ends the training in the middle of a validation.

        Raises:
            StoppedInValidation: The training was asked to end; it is
                validated again when it goes on.
        """
        if self.talks:
            self.stop_validation(runner, batch_idx + 1)

    def after_val_epoch(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Has the next training step look for signals."""
        self.talk_at = 0
        self.talked = None

    def stop_validation(self, runner: Runner, done: int) -> None:
        """Raises StoppedInValidation if the training was asked to end."""
        if not isinstance(runner._train_loop, BaseLoop):
            return  # a validation alone
        signal, _ = self.agree(done)
        if signal:
            raise StoppedInValidation(
                stopped_line(runner, 'the validation'),
                signals.status(signal),
            )

    def agree(self, done: int) -> tuple[int, bool]:
        """The signal and whether to save, the same on all processes.

        Args:
            done: Iterations that are done.
        """
        now = time.monotonic()
        due = bool(self.save_every) and now - self.saved_at >= (
            self.save_every or 0
        )
        if get_world_size() == 1:
            return signals.asked(), due
        if done < self.talk_at:
            return 0, False
        interval = 1
        if self.talked:
            pace = (now - self.talked[0]) / max(done - self.talked[1], 1)
            interval = min(max(int(TALK_SECONDS / max(pace, 1e-4)), 1), 1000)
        due = due and get_rank() == 0
        talk = torch.tensor([signals.asked(), due, -interval])
        all_reduce(talk, op='max')
        signal, due, interval = talk.tolist()
        self.talked = time.monotonic(), done
        self.talk_at = done - interval
        return signal, bool(due)

    def save(self, runner: Runner, epoch: int, done: int) -> None:
        """Saves a checkpoint, unless there is one of this iteration.

        Args:
            runner: Of the training.
            epoch: Epochs that are done.
            done: Iterations that are done.
        """
        self.saved_at = time.monotonic()
        hook = checkpoint_hook(runner)
        if hook is None or saved_iteration(runner) == done:
            return
        name = INTERIM.format(done)
        runner.save_checkpoint(
            hook.out_dir,
            name,
            save_optimizer=True,
            save_param_scheduler=True,
            meta=dict(epoch=epoch, iter=done),
            by_epoch=False,
            backend_args=hook.backend_args,
        )
        if get_rank() == 0:
            path = hook.file_backend.join_path(hook.out_dir, name)
            last = Path(runner.work_dir) / 'last_checkpoint'
            CHECKPOINTS.after(
                partial(whole_files.replace, last, path.encode())
            )
            CHECKPOINTS.after(partial(remove_interim, hook.out_dir, done))

    def notice(self, runner: Runner) -> None:
        """Removes interim checkpoints once the CheckpointHook has saved."""
        hook = checkpoint_hook(runner)
        if hook and hook.last_ckpt != self.last:
            self.last = hook.last_ckpt
            self.saved_at = time.monotonic()
            if get_rank() == 0:
                CHECKPOINTS.after(partial(remove_interim, hook.out_dir))


def saved_iteration(runner: Runner) -> int | None:
    """The iteration of the checkpoint that was saved last."""
    return getattr(runner, 'saved_iteration', None)


def remove_interim(folder: str, keep: int | None = None) -> None:
    """Removes interim checkpoints but one.

    Args:
        folder: Where they are.
        keep: The iteration of one that stays.
    """
    kept = INTERIM.format(keep)
    for path in Path(folder).glob(INTERIM.format('*')):
        if path.name != kept:
            path.unlink(missing_ok=True)


def stopped_line(runner: Runner, where: str) -> str:
    """What a training that was asked to end says."""
    goes_on = '--resume auto goes on'
    if checkpoint_hook(runner) is None:
        goes_on = 'nothing is saved, as the config has no CheckpointHook'
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        return f'stopped at {where}; {goes_on}'
    return f'stopped at epoch {runner.epoch + 1}, {where}; {goes_on}'
