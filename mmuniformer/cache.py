"""Where it is kept what has been found out about files."""

import hashlib
import os
from pathlib import Path
from typing import Any


def place_of(path: str, kind: str, version: int, *more: Any) -> Path:
    """The file, without an ending, for what is known of a file as it is now.

    It lies in ``~/.cache/mmuniformer`` (``XDG_CACHE_HOME``), which may be
    removed.

    Args:
        path: The file.
        kind: Folder for such knowledge.
        version: To be raised with what is known.
        more: What it depends on, too.

    Raises:
        OSError: There is no such file.
    """
    state = os.stat(path)
    key = (
        version, os.path.realpath(path), state.st_size, state.st_mtime_ns,
        *more,
    )  # fmt: skip
    name = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
    cache = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(cache).expanduser() / 'mmuniformer' / kind / name
