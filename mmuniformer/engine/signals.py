"""What a training does when it is asked to end."""

import os
import signal
import sys
import threading
import time
from types import FrameType

from .workers import STOPPING

# Of sysexits.h: try again later. Slurm's RequeueExit may name it.
STOPPED_STATUS = 75
INTERRUPT_SECONDS = 4.0
# One ^C can come twice: from the terminal and from torchrun.
DOUBLE_SECONDS = 1.0

_asked: list[tuple[int, float]] = []


class Stopped(Exception):  # noqa: N818, no error
    """A training has ended because it was asked to.

    Args:
        message: Where, and how to go on.
        status: Exit status of the process.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def asked() -> int:
    """The signal by which this process was asked to end; 0 if it was not."""
    return _asked[0][0] if _asked else 0


def status(number: int) -> int:
    """Exit status after a signal: that of a shell after ^C, else 75."""
    return 128 + number if number == signal.SIGINT else STOPPED_STATUS


def listen() -> None:
    """Has signals noted, so that a step can be finished first."""
    _asked.clear()
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            signal.signal(number, _note)


def ignore() -> None:
    """Gives the signals back to Python."""
    _asked.clear()
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            if signal.getsignal(number) is _note:
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _note(number: int, _: FrameType | None) -> None:
    """Notes the first signal; ^C has little patience, a second one none."""
    now = time.monotonic()
    if _asked and number == signal.SIGINT:
        if now - _asked[-1][1] > DOUBLE_SECONDS:
            leave()
        return
    if not _asked and number == signal.SIGINT:
        timer = threading.Timer(INTERRUPT_SECONDS, leave)
        timer.daemon = True
        timer.start()
    _asked.append((number, now))


def leave() -> None:
    """Ends the process at once; the last checkpoint is whole."""
    if int(os.environ.get('RANK', 0)) == 0:
        print(
            'stopped in the middle of a step; --resume auto goes on from the '
            'last checkpoint',
            file=sys.stderr,
        )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + signal.SIGINT)
