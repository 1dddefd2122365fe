"""Checks that a schedule ends where training does."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from .datasets import type_name
from .findings import Findings
from .loops import is_epoch_loop

# The part of training by which a schedule may end earlier or later.
SLACK = 0.05
WARM_UPS = ('LinearLR', 'ConstantLR')
# The option by which each schedule knows its length.
LENGTHS = {
    'CosineAnnealingLR': 'T_max',
    'WarmupCosineLR': 'epochs',
    'OneCycleLR': 'total_steps',
}


def check_schedule(cfg: Config, steps: int | None, found: Findings) -> None:
    """Warns of a schedule that ends elsewhere than training.

    Whoever changes ``train_cfg.max_epochs`` alone leaves a cosine of the old
    length, or milestones that never come.

    Args:
        cfg: Whole config.
        steps: Steps of one epoch; None where nobody knows.
        found: Gets what is wrong.
    """
    epochs = is_epoch_loop(cfg)
    loop = cfg.get('train_cfg') or {}
    total = loop.get('max_epochs' if epochs else 'max_iters')
    if epochs is None or not isinstance(total, int) or total < 1:
        return
    if not epochs:
        _check_by_epoch(cfg, found)
    unit = 'epochs' if epochs else 'iterations'
    option = 'max_epochs' if epochs else 'max_iters'
    for at, name, key, end in _ends(cfg, epochs, total, steps):
        off = end - total
        if name in WARM_UPS:
            wrong = off > 0  # it need not last
        elif key == 'milestones':
            wrong = off >= 0 or 2 * end < total
        else:
            wrong = abs(off) > SLACK * total
        if wrong:
            what = (
                'has its last milestone at'
                if key == 'milestones'
                else ('lasts')
            )
            found.warn(
                f'schedule {at}',
                f'{at}: {name} {what} {end:.4g} {unit}, but training '
                f'{total} (train_cfg.{option}): the learning rate '
                f'{"does not get to its end" if off >= 0 else "stays there"};'
                f' set {at}.{key} to fit',
            )


def _check_by_epoch(cfg: Config, found: Findings) -> None:
    """Checks that nothing waits for epochs where iterations are counted."""
    for at, one in _schedulers(cfg):
        plateau = type_name(one).startswith('ReduceOnPlateau')
        by_epoch = one.get('by_epoch', True)
        if by_epoch and not one.get('convert_to_iter_based') and not plateau:
            found.error(
                f'schedule {at}',
                f'{at}: {type_name(one)} counts epochs (by_epoch=True), but '
                f'training iterations (train_cfg): the learning rate would '
                f'never change; set {at}.by_epoch=False, and its numbers to '
                f'iterations',
            )
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    if hook and hook.get('by_epoch', True):
        found.warn(
            'checkpoint',
            'default_hooks.checkpoint counts epochs (by_epoch=True), but '
            'training iterations (train_cfg): nothing is saved before its '
            'end; set by_epoch=False, and interval to iterations',
        )


def _schedulers(cfg: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    """Option and config of each schedule."""
    schedulers = cfg.get('param_scheduler') or ()
    if isinstance(schedulers, dict):
        schedulers = [schedulers]
    for place, one in enumerate(schedulers):
        if isinstance(one, dict):
            yield f'param_scheduler.{place}', one


def _ends(
    cfg: Config, epochs: bool, total: int, steps: int | None
) -> Iterator[tuple[str, str, str, float]]:
    """Place, name, option, and end in the loop's unit."""
    for at, one in _schedulers(cfg):
        name = type_name(one)
        scale = 1.0
        if one.get('by_epoch', True) is not epochs:
            if not steps:
                continue
            scale = 1 / steps if epochs else steps
        key = LENGTHS.get(name, 'end')
        value = one.get(key)
        if not isinstance(value, int):
            key, value = 'end', one.get('end')
        elif name == 'CosineAnnealingLR':
            value += one.get('begin', 0)
        if not isinstance(value, int) and name == 'MultiStepLR':
            key, value = 'milestones', max(one.get('milestones') or [total])
        elif name == 'MultiStepLR':
            key = 'milestones and end'
        if isinstance(value, int) and value > 0:
            yield at, name, key, scale * value
