"""Files that mmengine writes are there whole or not at all.

mmengine opens a checkpoint under its final name and writes: a process that is
killed there, or a disk that is full, leaves half a file, in place of a good
one where `save_best` or `last_checkpoint` write again. (mmengine#1040 asks for
it.) Here the content goes to a file of an unpredictable name beside it, which
takes its place when it is on the disk.
"""

import os
import tempfile
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from ._hooks import LOG
from .behind import CHECKPOINTS

PREFIX, SUFFIX = '.', '.part'


def apply(local_backend: ModuleType) -> None:
    """Has mmengine's local files replaced, not written over."""

    def put(self: Any, obj: Any, filepath: str | Path) -> None:
        CHECKPOINTS.write(partial(replace, filepath, obj))

    def put_text(
        self: Any, obj: str, filepath: str | Path, encoding: str = 'utf-8'
    ) -> None:
        write(filepath, obj.encode(encoding))

    kind = local_backend.LocalBackend
    put.__doc__, put_text.__doc__ = kind.put.__doc__, kind.put_text.__doc__
    kind.put, kind.put_text = put, put_text


def write(
    path: str | Path, content: bytes | memoryview, sync: bool = True
) -> None:
    """Writes a file whole or not at all.

    A link of that name is replaced, not followed.

    Args:
        path: The file; its folder is made.
        content: What it holds from now on.
        sync: Have it on the disk at the end, not on its way there.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, part = tempfile.mkstemp(SUFFIX, f'{PREFIX}{name}.', folder)
    try:
        with open(handle, 'wb') as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            if sync:
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    if sync:
        sync_folder(folder)


def replace(path: str | Path, content: bytes | memoryview) -> None:
    """Writes a file, also where a folder of that name is."""
    set_aside(path)
    write(path, content)


def set_aside(path: str | Path) -> None:
    """Gives a folder that is in the place of a file another name."""
    if os.path.isdir(path) and not os.path.islink(path):
        aside = f'{path}.{os.getpid()}.folder'
        os.rename(path, aside)
        LOG.warning('%s is a folder: it is %s from now on', path, aside)


def sync_folder(folder: str) -> None:
    """Has the names of a folder written, where its file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def remove_parts(folder: str | Path) -> int:
    """Removes what killed processes have left; how many files that were."""
    parts = list(Path(folder).glob(f'{PREFIX}*.pth.*{SUFFIX}'))
    for part in parts:
        part.unlink(missing_ok=True)
    return len(parts)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
