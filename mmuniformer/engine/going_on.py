"""A run takes its place, its seed and its schedules from a checkpoint."""

import logging
import math
from functools import partial
from pathlib import Path
from typing import Any, cast

from mmengine.dist import get_rank, get_world_size
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..errors import LocalUserError, UserError
from ..weights import files
from . import finding, loops, places, resume, schedules
from .finite import infinite_buffers

# States of optimizers that have the shape of their parameter.
MOMENTS = {'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'}
warn = partial(print_log, logger='current', level=logging.WARNING)


def read(runner: Runner, filename: str) -> Any:
    """What a file holds that a run can go on from.

    Raises:
        LocalUserError: It cannot.
    """
    try:
        checkpoint = files.read(filename)
        ignore = infinite_buffers(runner.model)
        resume.check(checkpoint, False, bool(runner.param_schedulers), ignore)
    except UserError as error:
        reason = resume.shorten(str(error), Path(filename))
        raise LocalUserError(f'checkpoint={filename!r}: {reason}') from error
    if 'ema_state_dict' in checkpoint and not finding.has_ema(runner):
        warn(
            f'checkpoint={filename!r} has averaged weights, and the '
            f'config has no EMAHook: training goes on from the average'
        )
    return checkpoint


def check_optimizer(filename: str, wrapper: Any) -> None:
    """Checks what an optimizer has taken, which PyTorch does not.

    A moment of another shape may be broadcast to its parameter in silence.

    Raises:
        LocalUserError: A rate or a moment is none.
    """
    fault = ''
    optimizer = getattr(wrapper, 'optimizer', None)
    for group in getattr(optimizer, 'param_groups', ()):
        rate = group.get('lr', 0)
        if not isinstance(rate, (int, float)) or not 0 <= rate < math.inf:
            fault = f'lr={rate!r}'
        for parameter in group['params']:
            state = cast(Any, optimizer).state.get(parameter, {})
            for name in MOMENTS & state.keys():
                if getattr(state[name], 'shape', None) != parameter.shape:
                    fault = f'{name} is not of the shape of its parameter'
    if fault:
        raise LocalUserError(
            f'checkpoint={filename!r}: the state of the optimizer is damaged: '
            f'{fault}'
        )


def circumstances(runner: Runner) -> dict[str, int]:
    """What a run is set up for."""
    loader = cast(Any, runner.train_loop).dataloader
    return dict(
        processes=get_world_size(),
        batch_size=getattr(loader.batch_sampler, 'batch_size', 0) or 0,
        training_samples=_length(loader.dataset),
    )


def note(runner: Runner, checkpoint: Any) -> None:
    """Notes the place of a run in what it saves."""
    loop = cast(Any, runner.train_loop)
    found: dict[str, Any] = circumstances(runner)
    if isinstance(loop, loops.EpochLoop):
        meta = checkpoint['meta']
        here = meta['epoch'] == loop._epoch
        found['done'] = here * (meta['iter'] - loop.epoch_start)
        found['epoch_length'] = len(loop.dataloader)
    resume.write_note(checkpoint, found)


def take_place(runner: Runner, checkpoint: Any) -> None:
    """Takes the place in the epoch; says what is not as it was.

    Raises:
        LocalUserError: The note of the place is something else.
    """
    found = resume.read_note(checkpoint)
    loop = cast(Any, runner.train_loop)
    length = len(loop.dataloader)
    for name, now in circumstances(runner).items():
        before = found.get(name, now)
        if before != now:
            warn(
                f'{name}: {before} when the checkpoint was saved, {now} '
                f'now; the run goes on, but not as it would have done, '
                f'and its learning rate was set for the former'
            )
    if not isinstance(loop, loops.EpochLoop):
        loop.validate_first = True
        return
    old = found.get('epoch_length', length)
    done = found.get('done', 0)
    if not all(type(x) is int and x >= 0 for x in (old, done)):
        raise LocalUserError(
            f'meta.{resume.NOTE}={found!r}: wanted whole numbers'
        )
    if old and old != length:
        done = min(round(done * length / old), length)
        loop._iter = loop._epoch * length + done
    loop.done = done
    loop.epoch_start = loop._iter - done
    loop.validate_first = not done


def take_seed(runner: Runner, shift: int) -> None:
    """Has samplers take the seed of the checkpoint, too.

    Args:
        runner: Of the training; has that seed.
        shift: What is added to it in this process.
    """
    batches = cast(Any, runner.train_loop).dataloader.batch_sampler
    if isinstance(batches, places.PlacedBatches):
        old, batches.seed = batches.seed, cast(int, runner.seed) - shift
        sampler = getattr(batches, 'sampler', None)
        if getattr(sampler, 'seed', None) == old != batches.seed:
            cast(Any, sampler).seed = batches.seed


def take_schedules(
    runner: Any, config: Any, changed: list[str], checkpoint: Any
) -> None:
    """Keeps the schedules of the config where they are others.

    mmengine takes those of the checkpoint whole, so that a run that was
    given more epochs would go on with the end of the shorter one.

    Args:
        runner: Of the training.
        config: The schedules of its config.
        changed: How they differ from those of the checkpoint.
        checkpoint: What it goes on from.
    """
    info = checkpoint['message_hub'].get('runtime_info') or {}
    loop = cast(Any, runner.train_loop)
    by_epoch = isinstance(loop, loops.EpochLoop)
    limit = 'max_epochs' if by_epoch else 'max_iters'
    now = loop.max_epochs if by_epoch else loop.max_iters
    longer = info.get(limit, now) != now
    optimizer = runner.optim_wrapper
    if changed:
        for group in optimizer.param_groups:
            group['lr'] = group.get('initial_lr', group['lr'])
        own = runner.build_param_scheduler(config)
        runner.param_schedulers = own
        length = len(loop.dataloader) if by_epoch else 0
        schedules.replay(cast(list, own), optimizer, length, loop._iter)
        warn(
            f'the schedule of the learning rate is that of the config, '
            f'not of the checkpoint ({files.brief(changed)}); the rate '
            f'is now {schedules.rates(optimizer)}'
        )
    elif longer and runner.param_schedulers:
        warn(
            f'{limit}: {info[limit]} before, {now} now, but the schedule '
            f'of the learning rate (param_scheduler) is as it was: it '
            f'ends where it did; the rate is now '
            f'{schedules.rates(optimizer)}'
        )


def rank_shift(runner: Any) -> int:
    """What mmengine adds to the seed of a run in this process."""
    return get_rank() if runner._randomness_cfg.get('diff_rank_seed') else 0


def _length(dataset: Any) -> int:
    return len(dataset) if hasattr(dataset, '__len__') else 0
