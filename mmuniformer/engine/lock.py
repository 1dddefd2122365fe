"""One training at a time writes into a work dir.

Two of them replace each other's checkpoints in silence, and a resumed run goes
on from those of the other. A lock of the file system (POSIX) says that there
is one: it goes with its process, however that ends, workers do not inherit
it, and it holds on network disks.
"""

import os
import socket
import time
from typing import Any

from mmengine.logging import print_log

from ..errors import UserError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

NAME = '.lock'
# A killed training leaves processes for some seconds.
WAIT_SECONDS = 10.0
_held: dict[str, Any] = {}


def hold(folder: str, seconds: float = WAIT_SECONDS) -> None:
    """Takes the lock of a work dir until this process ends.

    Args:
        folder: The work dir.
        seconds: How long to wait for another training to end.

    Raises:
        UserError: Another training has it.
    """
    path = os.path.join(os.path.realpath(folder), NAME)
    if fcntl is None or path in _held:
        return
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        file = open(os.open(path, flags, 0o666), 'r+')
    except OSError:
        return  # whoever writes there says what is wrong
    end = time.monotonic() + seconds
    while not _locked(file):
        if time.monotonic() > end:
            file.seek(0)
            who = file.read(300).strip() or 'of which it does not say who'
            file.close()
            raise UserError(
                f'work_dir={folder!r}: another training writes there ({who}); '
                f'wanted another --work-dir, or its end'
            )
        time.sleep(0.2)
    file.seek(0)
    file.truncate()
    began = time.strftime('%Y-%m-%d %H:%M:%S')
    file.write(
        f'process {os.getpid()} on {socket.gethostname()}, since {began}'
    )
    file.flush()
    _held[path] = file  # closing it would give it back


def _locked(file: Any) -> bool:
    """Whether this process has the lock now."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        print_log(f'{file.name}: no locks on this disk ({error})', 'current')
    return True
