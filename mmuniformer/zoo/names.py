"""Names of models: listing them, and what a name stands for."""

import difflib
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from ..errors import UserError
from ..tasks import TASKS
from ..weights.published import Release, table

CONFIGS = Path(__file__).resolve().parents[1] / '.mim/configs'
# What may be written behind the name of a config.
DATA = re.compile(r'_(in1k|coco|ade20k)$')


def list_models(
    pattern: str = '*',
    task: str | None = None,
    pretrained: bool = False,
) -> list[str]:
    """Names of published models, in the order of the authors' tables.

    Args:
        pattern: Shell pattern of the names, e.g. ``'*small*'``.
        task: One of ``TASKS``, or None for all.
        pretrained: Only those with a public address that needs no browser.

    Raises:
        UserError: There is no such task.
    """
    if task not in (None, *TASKS):
        raise UserError(f'task={task!r}: wanted one of {", ".join(TASKS)}')
    return [
        name
        for name, release in table().items()
        if fnmatch(name, pattern)
        and task in (None, release.task)
        and (release.addresses or not pretrained)
    ]


def find_model(name: str) -> Release:
    """The published model that a name stands for.

    Args:
        name: Name of a published file, of a config, with or without its data
            set (``upernet_uniformer_s_ade20k``), or of a size.

    Raises:
        UserError: There is none; the message has the nearest names.
    """
    known = aliases()
    release = known.get(name) or known.get(DATA.sub('', name))
    if release is None:
        near = difflib.get_close_matches(name, [*table(), *known], 3, 0.5)
        hint = f'; did you mean {" or ".join(near)}?' if near else ''
        raise UserError(
            f'name={name!r}: no model of this name{hint} '
            f'(mmuniformer.list_models() has all)'
        )
    return release


@cache
def aliases() -> dict[str, Release]:
    """All names, the published ones included."""
    releases = table()
    known: dict[str, Release] = {}
    for release in releases.values():
        known.setdefault(Path(release.config).name, release)
        if release.name.endswith('_in1k'):
            known.setdefault(release.name.removesuffix('_in1k'), release)
    for size in ('xxs', 'xs'):
        known[f'uniformer_{size}'] = known[f'uniformer_{size}_224']
    known['uniformer_l'] = releases['uniformer_large_ls_tl_224']
    return {**known, **releases}
