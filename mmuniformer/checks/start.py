"""All checks before the first step, in the order of their cost."""

import os
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import LocalUserError, UserError
from . import (
    classes,
    config_keys,
    data,
    evaluators,
    inputs,
    loops,
    measured,
    models,
    schedules,
    widths,
)
from .datasets import Source, sources
from .findings import Findings
from .samples import Data

GO_ON = '. If you know better, --no-checks (checks=False) goes on without'
# Hooks that check during a run.
HOOKS = ('mmuniformer.LabelCheckHook', 'LabelCheckHook')


def check(cfg: Config, splits: tuple[str, ...]) -> None:
    """Checks a config, its data and how they fit the model.

    With ``checks=False`` in the config nothing is checked. Of the processes
    of a machine the first one checks the files.

    Args:
        cfg: Whole config.
        splits: Those that are used: 'train' and 'val', or 'test'.

    Raises:
        UserError: Something is wrong; the message says how to go on.
    """
    if not cfg.get('checks', True):
        print_log('no checks, as checks=False', logger='current')
        _remove_hooks(cfg)
        return
    found = Findings()
    check_config(cfg, splits, found)
    try:
        found.conclude()
        if int(os.environ.get('LOCAL_RANK', 0)) == 0:
            found = Findings()
            check_files(cfg, splits, found)
            found.conclude()
    except UserError as error:
        kind = (
            LocalUserError
            if os.environ.get('RANK', '0') != '0'
            else (UserError)
        )
        raise kind(f'{error}{GO_ON}') from error


def check_config(
    cfg: Config, splits: tuple[str, ...], found: Findings
) -> None:
    """Checks what needs no file."""
    loops.check_launcher(cfg, found)
    config_keys.check_keys(cfg, found)
    widths.check_widths(cfg, found)
    inputs.check_inputs(cfg, splits, found)
    if 'train' in splits:
        inputs.check_weights(cfg, found)
        inputs.check_optimizer(cfg, found)
        loops.check_loop(cfg, found)
        loops.check_erasing(cfg, found)
        evaluators.check_heads(cfg, found)
    for split in splits:
        loops.check_sampler(cfg, split, found)
        loops.check_numbers(cfg, split, found)
    if 'val' in splits:
        measured.check_save_best(cfg, found)


def check_files(
    cfg: Config,
    splits: tuple[str, ...],
    found: Findings,
    full: bool = False,
) -> list[tuple[Source, Data]]:
    """Checks the data sets, and what depends on them.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.
        found: Gets what is wrong.
        full: Whether all samples will be opened afterwards.

    Returns:
        The data sets and what they hold.
    """
    done: list[tuple[Source, Data]] = []
    first: tuple[str, list[str]] | None = None
    for split in splits:
        own = []
        for source in sources(cfg, split):
            found.where = f'{split} data'
            try:
                holds, names = _check_source(source, cfg, found, full)
            except UserError:
                raise
            except Exception as error:
                found.warn(
                    'not checked',
                    f'{source.name} could not be checked ({error!r:.160})',
                )
                continue
            if names and not isinstance(names, str):
                first = first or (split, list(names))
                classes.check_same(list(names), *first, found)
            own.append((source, holds))
        found.where = ''
        if split != 'train':
            evaluators.check_evaluator(cfg, split, own, found)
        else:
            parts = [holds for _, holds in own]
            steps = loops.check_steps(cfg, parts, found)
            if not full:
                schedules.check_schedule(cfg, steps, found)
        done += own
    return done


def _check_source(
    source: Source, cfg: Config, found: Findings, full: bool
) -> tuple[Data, Any]:
    """What a data set holds, and its classes as it numbers them."""
    classes.check_names(source, found)
    names = classes.class_names(source)
    classes.check_source(source, cfg, names, found)
    if not models.packs([*source.steps()], source.scope):
        found.where = f'{source.split} data'
        found.error(
            'nothing packed',
            f'the pipeline of {source.name} has no step that packs what the '
            f'model takes, such as PackInputs; add it at the end',
        )
    holds = data.check_source(source, cfg, found, full)
    found.where = f'{source.split} data'
    if not names and holds.classes:
        classes.check_source(source, cfg, holds.classes, found)
    return holds, holds.order or names or holds.classes


def _remove_hooks(cfg: Config) -> None:
    """Takes out the hooks that check during a run."""
    hooks = cfg.get('default_hooks') or {}
    for key in [k for k, v in hooks.items() if v and v.get('type') in HOOKS]:
        hooks.pop(key)
    if cfg.get('custom_hooks'):
        cfg.custom_hooks = [
            hook
            for hook in cfg.custom_hooks
            if not isinstance(hook, dict) or hook.get('type') not in HOOKS
        ]
