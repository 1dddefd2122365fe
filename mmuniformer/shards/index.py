"""What is in a tar file, and where."""

import os
import posixpath
import tarfile
import tempfile
import time
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import cache
from ..errors import UserError

BLOCK = 512
# To be raised with what an index holds.
VERSION = 1
# Of a file `NAME.cls`, which has the number of a class and no more.
LABEL_BYTES = 32
# An index that is being written, and when nobody does any more.
UNFINISHED, OLD_SECONDS = '.part', 3600
NO_LABEL = -1


class Shard:
    """A tar file whose files are read by their names.

    Args:
        path: Of the tar file.

    Attributes:
        rows: name, offset, size and label of each file, by name.

    Raises:
        UserError: It is no tar file, is compressed, or is cut off.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows = load_index(path)
        self.file = open(path, 'rb')

    def find(self, name: str) -> Any:
        """The row of a file, or None."""
        key = os.fsencode(name)
        place = self.place(key)
        if place < len(self.rows) and self.rows[place]['name'] == key:
            return self.rows[place]
        return None

    def place(self, key: bytes) -> int:
        """Number of the first row whose name is not less than a key."""
        return bisect_left(self.rows, key, key=lambda row: row['name'])

    def below(self, folder: str) -> Any:
        """The rows of the files below a folder; of all for ''."""
        if not folder:
            return self.rows
        first, last = os.fsencode(f'{folder}/'), os.fsencode(f'{folder}0')
        return self.rows[self.place(first) : self.place(last)]

    def read(self, row: Any) -> bytes:
        """The content of a file.

        Raises:
            OSError: The tar file has become shorter.
        """
        offset, size = int(row['offset']), int(row['size'])
        parts, left = [], size
        while left:
            # Forks share the place in an open file, which this does not use.
            part = os.pread(self.file.fileno(), left, offset + size - left)
            if not part:
                raise OSError(
                    f'{self.path!r} is cut off in {os.fsdecode(row["name"])!r}'
                )
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b''.join(parts)


@lru_cache(maxsize=512)
def _shard(path: str, size: int, changed: int) -> Shard:
    return Shard(path)


def shard(path: str) -> Shard:
    """A tar file, opened once per process as long as it does not change."""
    state = os.stat(path)
    return _shard(path, state.st_size, state.st_mtime_ns)


def load_index(path: str) -> np.ndarray:
    """The index of a tar file, a map of a file if it can be kept."""
    place = cache.place_of(path, 'shards', VERSION).with_suffix('.npy')
    try:
        return np.load(place, mmap_mode='r')
    except (OSError, ValueError, EOFError):
        rows = make_index(path)
    try:
        _keep(rows, place)
        return np.load(place, mmap_mode='r')
    except (OSError, ValueError):
        return rows


def _keep(rows: np.ndarray, place: Path) -> None:
    """Writes an index, whole or not at all.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    for rest in place.parent.glob(f'*{UNFINISHED}'):  # of ended processes
        if time.time() - rest.stat().st_mtime > OLD_SECONDS:
            rest.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=place.parent, suffix=UNFINISHED, delete=False
    ) as file:
        try:
            np.save(file, rows)
            file.flush()
            os.replace(file.name, place)
        except BaseException:
            os.unlink(file.name)
            raise


def make_index(path: str) -> np.ndarray:
    """Reads the heads of all files of a tar file.

    Returns:
        Rows of name, offset, size and label, by name; the label is -1 but for
        files ``NAME.cls`` that have a number.

    Raises:
        UserError: It is no tar file, is compressed, or is cut off.
    """
    found: dict[str, tuple[int, int, int]] = {}
    links: dict[str, str] = {}
    with open(path, 'rb') as file:
        try:
            with tarfile.open(fileobj=file, mode='r:') as tar:
                while (member := tar.next()) is not None:
                    # Which would become large.
                    tar.members = []  # type: ignore[attr-defined]
                    name = posixpath.normpath(member.name).lstrip('/')
                    if member.islnk():
                        links[name] = posixpath.normpath(member.linkname)
                    elif member.issym():
                        folder = posixpath.dirname(name)
                        target = posixpath.join(folder, member.linkname)
                        links[name] = posixpath.normpath(target)
                    elif member.isreg() and not member.issparse():
                        found[name] = _where(file, name, member)
                end = tar.offset
        except (tarfile.TarError, EOFError) as error:
            raise UserError(_fault(path, file, error, len(found))) from error
        file.seek(end)
        if file.read(BLOCK) != bytes(BLOCK):
            raise UserError(
                f'{path!r} is damaged or cut off at byte {end}, after '
                f'{len(found)} files; wanted a whole tar file'
            )
    for name, target in links.items():
        for _ in range(8):
            target = links.get(target, target)
        if target in found:
            found[name] = found[target]
    rows = sorted((os.fsencode(name), *row) for name, row in found.items())
    longest = max((len(row[0]) for row in rows), default=1)
    kinds = [
        ('name', f'S{longest}'), ('offset', '<i8'), ('size', '<i8'),
        ('label', '<i8'),
    ]  # fmt: skip
    return np.array(rows, dtype=kinds)


def _where(
    file: Any, name: str, member: tarfile.TarInfo
) -> tuple[int, int, int]:
    """Offset, size and label of a file."""
    label = NO_LABEL
    if name.endswith('.cls') and member.size <= LABEL_BYTES:
        file.seek(member.offset_data)
        text = file.read(member.size).strip()
        label = int(text) if text.isdigit() else NO_LABEL
    return member.offset_data, member.size, label


def _fault(path: str, file: Any, error: Exception, count: int) -> str:
    file.seek(0)
    head = file.read(6)
    if head[:2] == b'\x1f\x8b' or head[:4] == b'\x28\xb5\x2f\xfd':
        return (
            f'{path!r} is compressed, so that its files cannot be read in any '
            f'order; wanted a plain tar file'
        )
    return (
        f'{path!r} is no whole tar file: {error}, after {count} files; wanted '
        f'one that `tar --list` reads to its end'
    )
