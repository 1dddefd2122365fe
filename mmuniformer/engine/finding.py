"""The checkpoint that all processes of a run go on from."""

import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, get_rank
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..compat import whole_files
from ..errors import UserError
from ..weights import files
from . import agreement, resume
from .finite import infinite_buffers

warn = partial(print_log, logger='current', level=logging.WARNING)


def checkpoint_hook(runner: Runner) -> CheckpointHook | None:
    """The hook that says where checkpoints go."""
    hooks = [x for x in runner.hooks if isinstance(x, CheckpointHook)]
    return hooks[0] if hooks else None


def has_ema(runner: Runner) -> bool:
    """Whether a run averages its weights."""
    return any(isinstance(hook, EMAHook) for hook in runner.hooks)


def folders(runner: Runner) -> list[str]:
    """Where the checkpoints of a run are."""
    hook = checkpoint_hook(runner)
    found = [runner.work_dir]
    if hook and hook.out_dir and hook.out_dir != runner.work_dir:
        name = os.path.basename(runner.work_dir.rstrip(os.sep))
        found.append(os.path.join(hook.out_dir, name))
    return found


def warn_of_earlier_run(runner: Runner) -> None:
    """Says what a new run in an old work dir writes over."""
    old = [
        path.name
        for template in resume.TEMPLATES
        for path in resume.numbered(folders(runner), template)
    ]
    if old:
        warn(
            f'work_dir={runner.work_dir!r} has checkpoints of an earlier '
            f'run ({files.brief(old)}), which this one writes over; '
            f'--resume auto would go on from them'
        )


def find(runner: Runner) -> Path | None:
    """The newest checkpoint, the same file on all processes.

    Raises:
        UserError: There are checkpoints, and none that is whole.
    """
    result: list[Any] = [None]
    if get_rank() == 0:
        result = [_find_here(runner)]
    broadcast_object_list(result)
    if isinstance(result[0], str):
        raise UserError(result[0])
    found = resume.Found(*result[0])
    if found.path is None:
        print_log(
            f'--resume auto: no checkpoint in {runner.work_dir!r}; '
            f'training starts anew',
            logger='current',
        )
        return None
    # Each looks in its own work dir, which may be on another disk.
    path = Path(runner.work_dir) / found.path
    agreement.same_file(path)
    if found.skipped:
        warn(
            f'--resume auto: going on from {found.path.name}; skipped: '
            f'{"; ".join(found.skipped)}'
        )
    return path


def _find_here(runner: Runner) -> Any:
    """What ``resume.newest`` finds, or its error as text."""
    hook = checkpoint_hook(runner)
    for folder in folders(runner):
        whole_files.remove_parts(folder)
    try:
        found = resume.newest(
            folders(runner),
            (hook.filename_tmpl,) if hook else (),
            has_ema(runner),
            bool(runner.param_schedulers),
            infinite_buffers(runner.model),
        )
    except UserError as error:
        return str(error)
    if found.path and str(found.path.parent) == runner.work_dir:
        return found._replace(path=Path(found.path.name))
    return found
