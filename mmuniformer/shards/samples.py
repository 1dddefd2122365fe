"""The labelled files of tar files."""

import os
import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import UserError
from .backend import PREFIX, expand, split
from .index import Shard, shard


class Sample(NamedTuple):
    """A file of a tar file, with its class.

    Attributes:
        path: As ``tar://FILE.tar/NAME``.
        label: Number of its class.
    """

    path: str
    label: int


def samples(
    folder: str, endings: Iterable[str]
) -> tuple[list[Sample], tuple[str, ...] | None]:
    """The labelled files of tar files.

    Where there are files ``NAME.cls``, these have the numbers of the classes,
    as WebDataset writes them. Else each class is a folder.

    Args:
        folder: Tar files, or a folder in them, as ``tar://FILE.tar``.
        endings: Of the files that count, in lower case.

    Returns:
        The files, in the order in which folders of files have them, and the
        names of the classes, which files ``.cls`` do not give.

    Raises:
        UserError: There are no tar files or no samples, or one has no label.
    """
    pattern, below = split(folder)
    try:
        shards = [shard(path) for path in expand(pattern)]
    except FileNotFoundError as error:
        raise UserError(f'{folder!r}: {error}') from error
    endings = tuple(endings)
    cut = f'{below}/' if below else ''
    files: list[tuple[str, Shard]] = []
    labels: dict[tuple[str, str], int] = {}
    for one in shards:
        for row in one.below(below):
            name = os.fsdecode(row['name']).removeprefix(cut)
            if name.endswith('.cls'):
                labels[one.path, _key(name)] = int(row['label'])
            elif name.lower().endswith(endings):
                if not name.startswith('.') and '/.' not in name:
                    files.append((name, one))
    if not files:
        raise UserError(
            f'{folder!r}: no file *{" *".join(endings)} in '
            f'{len(shards)} tar files'
        )
    if labels:
        found = [
            Sample(
                _path(one, cut, name), labels.get((one.path, _key(name)), -1)
            )
            for name, one in files
        ]
        lost = [sample.path for sample in found if sample.label < 0]
        if lost:
            raise UserError(
                f'{lost[0]!r} and {len(lost) - 1} more have no label; wanted '
                f'a file .cls with the number of a class beside each'
            )
        return found, None
    plain = [name for name, _ in files if '/' not in name]
    if plain:
        raise UserError(
            f'{folder!r}: {plain[0]!r} and {len(plain) - 1} more have no '
            f'label; wanted CLASS/NAME, or files NAME.cls beside them'
        )
    names = sorted({name.split('/', 1)[0] for name, _ in files})
    number = {name: i for i, name in enumerate(names)}
    # Classes, then names: the order of folders.
    files.sort(key=lambda f: (f[0].split('/', 1), f[1].path))
    return [
        Sample(_path(one, cut, name), number[name.split('/', 1)[0]])
        for name, one in files
    ], tuple(names)


def _key(name: str) -> str:
    """What files of one sample have in common."""
    folder, file = posixpath.split(name)
    return posixpath.join(folder, file.split('.', 1)[0])


def _path(one: Shard, cut: str, name: str) -> str:
    return f'{PREFIX}{one.path}/{cut}{name}'
