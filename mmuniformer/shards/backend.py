"""The backend of mmengine that reads files in tar files."""

import glob
import os
import posixpath
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import product

from mmengine.fileio.backends import BaseStorageBackend

from ..errors import UserError
from .index import shard

# Up to the first part of a path that ends so.
PREFIX = 'tar://'
TAR = re.compile(r'(?:tar://)?(.+?\.tar)(?:/+(.*))?', re.DOTALL)
RANGE = re.compile(r'\{(\d+)\.\.(\d+)\}')


def split(path: str) -> tuple[str, str]:
    """A path as (tar file or pattern, name in it).

    Raises:
        UserError: No part of it ends in ``.tar``.
    """
    match = TAR.fullmatch(str(path))
    if match is None:
        raise UserError(f'{str(path)!r}: wanted tar://FILE.tar/NAME')
    name = posixpath.normpath(match[2] or '')
    return match[1], '' if name == '.' else name


@lru_cache(maxsize=64)
def expand(pattern: str) -> tuple[str, ...]:
    """The tar files that a pattern means, by name.

    Raises:
        FileNotFoundError: There are none.
    """
    parts = RANGE.split(pattern)
    numbers = [
        [f'{i:0{len(first)}}' for i in range(int(first), int(last) + 1)]
        for first, last in zip(parts[1::3], parts[2::3])
    ]
    paths = []
    for chosen in product(*numbers):
        texts = [*parts[0::3]]
        path = texts[0] + ''.join(a + b for a, b in zip(chosen, texts[1:]))
        exact = os.path.exists(path) or not glob.has_magic(path)
        paths += [path] if exact else sorted(glob.glob(path))
    lost = [path for path in paths if not os.path.isfile(path)]
    if lost or not paths:
        what = repr(lost[0]) if lost else f'{pattern!r}, of tar files,'
        raise FileNotFoundError(f'{what} does not exist')
    return tuple(paths)


class TarBackend(BaseStorageBackend):
    """The backend of mmengine that reads tar files as folders."""

    def get(self, filepath: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: There is no such file.
            UserError: Several tar files of a pattern have it.
        """
        pattern, name = split(filepath)
        found = [
            (one, row)
            for one in map(shard, expand(pattern))
            if (row := one.find(name)) is not None
        ]
        if not found:
            raise FileNotFoundError(f'{str(filepath)!r} does not exist')
        if len(found) > 1:
            raise UserError(
                f'{str(filepath)!r} is in {found[0][0].path!r} and '
                f'{found[1][0].path!r}; wanted names that differ'
            )
        return found[0][0].read(found[0][1])

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """The content of a file of text."""
        return self.get(filepath).decode(encoding)

    def exists(self, filepath: str) -> bool:
        """Whether there is such a file or folder."""
        return self.isfile(filepath) or self.isdir(filepath)

    def isfile(self, filepath: str) -> bool:
        """Whether there is such a file."""
        try:
            pattern, name = split(filepath)
            shards = map(shard, expand(pattern))
            return any(one.find(name) is not None for one in shards)
        except OSError:
            return False

    def isdir(self, filepath: str) -> bool:
        """Whether there is such a folder."""
        try:
            pattern, name = split(filepath)
            shards = map(shard, expand(pattern))
            return any(not name or len(one.below(name)) for one in shards)
        except OSError:
            return False

    def join_path(self, filepath: str, *filepaths: str) -> str:
        """A path below another one."""
        return posixpath.join(str(filepath), *map(str, filepaths))

    @contextmanager
    def get_local_path(self, filepath: str) -> Iterator[str]:
        """A file outside of the tar file, for as long as it is needed."""
        ending = posixpath.splitext(str(filepath))[1]
        with tempfile.NamedTemporaryFile(suffix=ending) as file:
            file.write(self.get(filepath))
            file.flush()
            yield file.name

    def list_dir_or_file(
        self,
        dir_path: str,
        list_dir: bool = True,
        list_file: bool = True,
        suffix: str | tuple[str, ...] | None = None,
        recursive: bool = False,
    ) -> Iterator[str]:
        """Names below a folder, as of LocalBackend, without hidden ones."""
        pattern, folder = split(dir_path)
        cut = len(os.fsencode(folder)) + 1 if folder else 0
        seen: set[str] = set()
        for one in map(shard, expand(pattern)):
            for raw in one.below(folder)['name']:
                name = os.fsdecode(raw[cut:])
                if name.startswith('.') or '/.' in name:
                    continue
                *parents, _ = name.split('/')
                if list_dir and parents:
                    depth = len(parents) if recursive else 1
                    for count in range(1, depth + 1):
                        parent = '/'.join(parents[:count])
                        if parent not in seen:
                            seen.add(parent)
                            yield parent
                if list_file and (recursive or not parents):
                    if not suffix or name.endswith(suffix):
                        yield name
