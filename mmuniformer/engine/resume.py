"""Finds the checkpoint to go on from, and says what does not fit in it."""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..errors import UserError
from ..weights import files

# Key in a checkpoint's `meta` for what mmengine does not note.
NOTE = 'mmuniformer_run'
# No training does so many; what has more is damaged.
MOST_STEPS = 10**12
TEMPLATES = ('epoch_{}.pth', 'iter_{}.pth', 'interim_iter_{}.pth')


class Found(NamedTuple):
    """A checkpoint to resume from.

    Attributes:
        path: The file; None if the folders have none of any kind.
        skipped: Newer files that cannot be resumed, each with the reason.
    """

    path: Path | None
    skipped: list[str]


def newest(
    folders: list[str],
    templates: tuple[str, ...] = (),
    ema: bool = False,
    schedules: bool = True,
    ignore: Collection[str] = (),
) -> Found:
    """The checkpoint of the latest iteration that can be resumed.

    Args:
        folders: Where to look; the first one has ``last_checkpoint``.
        templates: Names of checkpoints besides those of ``TEMPLATES``.
        ema: Averaged weights must be in it.
        schedules: States of schedules must be in it.
        ignore: Names of buffers that may be infinite.

    Raises:
        UserError: There are checkpoints, but none can be resumed.
    """
    skipped: list[str] = []
    best: tuple[int, Path] | None = None
    kinds = dict.fromkeys((*TEMPLATES, *templates))
    for template in kinds:
        for path in numbered(folders, template):
            reason, iteration = _look(path, ema, schedules, ignore)
            if reason:
                skipped.append(f'{path.name} {reason}')
                continue
            if best is None or iteration > best[0]:
                best = iteration, path
            break
    named = _named(folders[0])
    if best is None and named is not None:
        reason, iteration = _look(named, ema, schedules, ignore)
        if not reason:
            best = iteration, named
        elif not any(x.startswith(named.name) for x in skipped):
            skipped.append(f'{named.name} {reason}')
    if best is None and not skipped:
        skipped = [
            f'{path.name} has no state of the optimizer'
            for folder in folders
            for path in sorted(Path(folder).glob('best_*.pth'))
        ]
    if best is None and skipped:
        raise UserError(
            f'--resume auto: no checkpoint in {folders[0]!r} can be resumed: '
            f'{"; ".join(skipped)}. Give another file by --resume PATH, or '
            f'start anew in another --work-dir'
        )
    return Found(best and best[1], skipped)


def numbered(folders: list[str], template: str) -> list[Path]:
    """Files of a template, the highest number first."""
    start, _, end = template.partition('{}')
    pattern = re.compile(f'{re.escape(start)}(\\d+){re.escape(end)}')
    numbered = []
    for folder in map(Path, folders):
        for path in folder.iterdir() if folder.is_dir() else ():
            match = pattern.fullmatch(path.name)
            if match:
                numbered.append((int(match[1]), path))
    return [path for _, path in sorted(numbered, reverse=True)]


def _named(folder: str) -> Path | None:
    """What ``last_checkpoint`` names: there, or here after a move."""
    path = Path(folder) / 'last_checkpoint'
    if not path.is_file():  # a pipe would not end
        return None
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text or '\0' in text or '\n' in text:
        return None
    here = Path(folder) / os.path.basename(text)
    return here if here.is_file() or not os.path.exists(text) else Path(text)


def _look(
    path: Path, ema: bool, schedules: bool, ignore: Collection[str]
) -> tuple[str, int]:
    """Why a file cannot be resumed, or '', and its iteration."""
    try:
        checkpoint = files.read(path)
        check(checkpoint, ema, schedules, ignore)
    except UserError as error:
        return shorten(str(error), path), 0
    except OSError as error:
        return f'cannot be read: {error.strerror}', 0
    return '', checkpoint['meta']['iter']


def shorten(message: str, path: Path) -> str:
    """A message about a file without its name."""
    start = f'checkpoint={str(path)!r}'
    return message.removeprefix(start).lstrip(': ')


def check(
    checkpoint: Any,
    ema: bool = False,
    schedules: bool = True,
    ignore: Collection[str] = (),
) -> None:
    """Raises UserError, with what is missing, if it cannot be resumed.

    Args:
        checkpoint: Content of a file.
        ema: Averaged weights must be in it.
        schedules: States of schedules must be in it.
        ignore: Names of buffers that may be infinite.
    """
    if not isinstance(checkpoint, Mapping):
        raise UserError(f'holds {type(checkpoint).__name__}, no checkpoint')
    missing = []
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    for name in ('epoch', 'iter'):
        value = meta.get(name)
        if type(value) is not int or not 0 <= value < MOST_STEPS:
            missing.append(f'the number of the {name}')
    if not isinstance(checkpoint.get('state_dict'), Mapping):
        missing.append('weights')
    optimizer = checkpoint.get('optimizer')
    if not _has_state(optimizer, meta.get('iter')):
        missing.append('the state of the optimizer')
    if schedules and not _has_places(checkpoint.get('param_schedulers')):
        missing.append('the state of the schedules')
    if not isinstance(checkpoint.get('message_hub'), Mapping):
        missing.append('the history of the log')
    if ema and not isinstance(checkpoint.get('ema_state_dict'), Mapping):
        missing.append('the averaged weights')
    if missing:
        raise UserError(
            f'lacks {", ".join(missing)}; it can be tested, or trained from '
            f'by --cfg-options load_from=PATH, not resumed'
        )
    strange = not_finite(checkpoint, ignore)
    if strange:
        raise UserError(f'holds numbers that are not finite: {strange}')


def _has_places(schedulers: Any) -> bool:
    """Whether schedules are there, each with the step that it is at."""
    if isinstance(schedulers, Mapping):  # of several optimizers
        return bool(schedulers) and all(map(_has_places, schedulers.values()))
    if not isinstance(schedulers, list) or not schedulers:
        return False
    return all(
        isinstance(one, Mapping)
        and type(one.get('last_step', one.get('last_epoch'))) is int
        for one in schedulers
    )


def _has_state(optimizer: Any, done: Any) -> bool:
    """Whether an optimizer is there, with its moments if it has any."""
    if not isinstance(optimizer, Mapping) or not optimizer:
        return False
    groups = optimizer.get('param_groups')
    if groups is None:  # several optimizers by name, or of another form
        return True
    if not isinstance(groups, list) or not all(
        isinstance(group, Mapping) for group in groups
    ):
        return False
    state = optimizer.get('state')
    moments = any(
        'betas' in group or group.get('momentum') or 'alpha' in group
        for group in groups
    )
    return isinstance(state, Mapping) and bool(
        state or not moments or not done
    )


def not_finite(
    checkpoint: Mapping[str, Any], ignore: Collection[str] = ()
) -> str:
    """Names of weights and states that are not finite, in one line; or ''.

    Args:
        checkpoint: As mmengine saves it.
        ignore: Names in the model of what may be infinite.
    """
    names = []
    for key in ('state_dict', 'ema_state_dict', 'optimizer'):
        for name, value in tensors(checkpoint.get(key), key):
            own = name.removeprefix(f'{key}.').removeprefix('module.')
            if own in ignore:
                continue
            if value.is_floating_point() and not all_finite(value):
                names.append(name)
    return files.brief(names) if names else ''


def tensors(value: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    """All tensors in nested containers, with their names."""
    stack, seen = [(name, value)], set()
    while stack:
        name, value = stack.pop()
        if torch.is_tensor(value):
            yield name, value
            continue
        if not isinstance(value, (Mapping, list, tuple)) or id(value) in seen:
            continue
        seen.add(id(value))  # a container can hold itself
        inner = (
            value.items()
            if isinstance(value, Mapping)
            else [*enumerate(value)]
        )
        stack += reversed([(f'{name}.{k}', v) for k, v in inner])


def all_finite(value: torch.Tensor) -> bool:
    """Whether a tensor has no NaN and no infinity; without a copy of it."""
    # A sum is not finite where an element is not; the reverse can overflow.
    total = value.detach().sum(dtype=torch.float64).isfinite()
    return bool(total) or bool(value.isfinite().all())


def read_note(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`write_note` wrote, or nothing."""
    try:
        note = json.loads(checkpoint['meta'][NOTE])
    except (TypeError, KeyError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def write_note(checkpoint: dict[str, Any], note: Mapping[str, Any]) -> None:
    """Notes in a checkpoint how the run that saves it was done."""
    checkpoint.setdefault('meta', {})[NOTE] = json.dumps(dict(note))
