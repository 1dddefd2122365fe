"""Remembers large annotation files that have been checked.

A file of COCO's size takes half a minute, which nobody wants to wait for
again when nothing has changed. What is remembered lies in
``~/.cache/mmuniformer/checks`` (``XDG_CACHE_HOME``); it may be removed.
"""

import json
import os
from pathlib import Path

from .. import cache
from .coco_fields import Contents, Wanted
from .findings import Findings, debug

# Smaller files are checked sooner than looked up.
LARGE_BYTES = 32 * 2**20
# To be raised with what is checked.
VERSION = 1


def _place(path: str, wanted: Wanted) -> Path:
    """Where it is remembered that a file is good for a purpose."""
    place = cache.place_of(path, 'checks', VERSION, *wanted)
    return place.with_suffix('.json')


def recall(path: str, wanted: Wanted, found: Findings) -> Contents | None:
    """What a file holds, without its boxes, if it has been checked.

    Args:
        path: The annotation file.
        wanted: What will be read from it.
        found: Gets the warnings of then.
    """
    if os.path.getsize(path) < LARGE_BYTES:
        return None
    try:
        known = json.loads(_place(path, wanted).read_text())
        contents = Contents(
            {key: tuple(value) for key, value in known['pictures']},
            known['names'], known['counts'], [], known['kept'],
            known['without_mask'],
        )  # fmt: skip
        warnings = [tuple(one) for one in known['warnings']]
    except (OSError, ValueError, KeyError, TypeError) as error:
        debug(f'{path!r} has not been checked before ({error})')
        return None
    debug(f'{path!r} has been checked before')
    where = found.where
    for kind, place, text, number in warnings:
        found.where = place
        found.warn(kind, text, number)
    found.where = where
    return contents


def remember(
    path: str, wanted: Wanted, contents: Contents, found: Findings
) -> None:
    """Remembers a file in which there is no error.

    Args:
        path: The annotation file.
        wanted: What is read from it.
        contents: What is in it.
        found: What the check of this file has found.
    """
    one_of_them = any(one.error for one in found)
    if one_of_them or os.path.getsize(path) < LARGE_BYTES:
        return
    known = contents._asdict()
    known['pictures'] = list(contents.pictures.items())
    known.pop('boxes')
    known['warnings'] = [(f.kind, f.where, f.text, f.number) for f in found]
    place = _place(path, wanted)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_suffix(f'.{os.getpid()}')
        new.write_text(json.dumps(known))
        os.replace(new, place)
    except OSError as error:
        debug(f'{path!r} cannot be remembered: {error}')
