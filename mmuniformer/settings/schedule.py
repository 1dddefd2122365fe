"""Keys of the schedule: epochs, iters, batch_size, lr."""

from typing import Any

from mmengine.logging import print_log

from ..errors import UserError
from .values import Cfg, kind, nothing_to_change, positive, positive_int, walk

# Schedulers that have their last value one step before `end`.
EARLY = ('LinearLR', 'PolyLR', 'ConstantLR', 'LinearMomentum', 'PolyMomentum')
# Fields that count in what the scheduler counts in.
LENGTHS = ('T_max', 'step_size', 'total_steps', 'T', 'cutoff')


def set_epochs(cfg: Cfg, epochs: Any) -> None:
    """Trains for so many epochs, the schedule in proportion."""
    _set_length(cfg, 'epochs', 'max_epochs', epochs)


def set_iters(cfg: Cfg, iters: Any) -> None:
    """Trains for so many iterations, the schedule in proportion."""
    _set_length(cfg, 'iters', 'max_iters', iters)


def _set_length(cfg: Cfg, name: str, field: str, value: Any) -> None:
    new = positive_int(name, value)
    train = cfg.get('train_cfg') or {}
    if field not in train:
        other = 'iters' if name == 'epochs' else 'epochs'
        counted = f'max_{other}' in train
        raise (
            UserError(
                f'{name}={value!r}: this config counts in {other}; wanted '
                f'{other} (--{other} on the command line)'
            )
            if counted
            else nothing_to_change(name, value, f'train_cfg.{field}')
        )
    share = new / train[field]
    train[field] = new
    for scheduler in walk(cfg.get('param_scheduler')):
        if 'type' in scheduler:
            _stretch(scheduler, share)
    for holder, interval in (
        (train, 'val_interval'),
        ((cfg.get('default_hooks') or {}).get('checkpoint') or {}, 'interval'),
    ):
        if holder.get(interval, 0) > new:
            holder[interval] = new
    if 'val_begin' in train:
        train['val_begin'] = max(1, round(train['val_begin'] * share))


def _stretch(scheduler: dict[str, Any], share: float) -> None:
    """Makes a scheduler longer or shorter, in place."""
    early = kind(scheduler) in EARLY and not scheduler.get('by_epoch', True)
    begin = scheduler.get('begin', 0)
    if 'begin' in scheduler:
        scheduler['begin'] = round(begin * share)
    if isinstance(scheduler.get('end'), int):
        length = scheduler['end'] - begin - early
        end = scheduler.get('begin', 0) + max(1, round(length * share)) + early
        scheduler['end'] = end
    for name in (*LENGTHS, 'epochs', 'warmup_epochs'):
        if isinstance(scheduler.get(name), (int, float)) and scheduler[name]:
            scheduler[name] = max(1, round(scheduler[name] * share))
    for name in ('milestones', 'periods'):
        if name in scheduler:
            scheduler[name] = [
                max(1, round(step * share)) for step in scheduler[name]
            ]


def set_batch_size(cfg: Cfg, size: Any) -> None:
    """Trains with so many samples per process, the rate in proportion.

    Which proportion that is, mmengine finds and says when it knows how many
    processes there are.
    """
    loader = cfg.get('train_dataloader')
    new = positive_int('batch_size', size)
    if not loader or 'batch_size' not in loader:
        raise nothing_to_change('batch_size', size, 'train_dataloader')
    old, loader['batch_size'] = loader['batch_size'], new
    if old == new:
        return
    rule = cfg.get('auto_scale_lr') or {}
    if 'base_batch_size' in rule:
        rule['enable'] = True
        return
    optimizer = _optimizer(cfg, 'batch_size', size)
    optimizer['lr'] *= new / old
    print_log(
        f'batch_size={new}: was {old}, so the learning rate becomes '
        f'{optimizer["lr"]:.3g}',
        logger='current',
    )


def set_lr(cfg: Cfg, lr: Any) -> None:
    """Trains at this learning rate, whatever the batch size is."""
    _optimizer(cfg, 'lr', lr)['lr'] = positive('lr', lr)
    if cfg.get('auto_scale_lr'):
        cfg['auto_scale_lr']['enable'] = False


def _optimizer(cfg: Cfg, name: str, value: Any) -> dict[str, Any]:
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer')
    if not isinstance(optimizer, dict) or 'lr' not in optimizer:
        raise nothing_to_change(name, value, 'optim_wrapper.optimizer.lr')
    return optimizer
