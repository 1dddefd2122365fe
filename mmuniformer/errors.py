"""The exceptions of this package."""

import os
import stat


class UserError(ValueError):
    """Bad input, with a message for the person who gave it.

    The message names the argument, the value and what was wanted. The tools
    print it in one line, without a traceback.
    """


class LocalUserError(UserError):
    """Bad input that only one of several processes may meet."""


class DamagedError(LocalUserError):
    """A file of the data that cannot be read; training may do without it."""


def check_plain(path: object) -> None:
    """Checks that a path is no pipe, which would be read without end.

    Args:
        path: Of a file to read; other things than paths pass.

    Raises:
        OSError: It is something else than a file, a folder or a link to one.
    """
    if not isinstance(path, (str, os.PathLike)):
        return
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # whoever opens it says so
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError('it is no file but a pipe or a device')
