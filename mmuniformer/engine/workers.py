"""Processes that end with their parent, and leave its signals to it."""

import ctypes
import os
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
PATIENCE_SECONDS = 30


def end_with_parent(parent: int | None = None) -> None:
    """Has Linux end this process when its parent does.

    Orphans would hold the GPUs and write into the work dir.

    Args:
        parent: The process that started this one, if that is known: it may
            be gone already.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os._exit(1)


def prepare_worker() -> None:
    """What every worker of a data loader begins with.

    A terminal and Slurm send their signals to workers, too; the step that
    the process is to finish first needs its batch. A worker that is asked to
    end does so later than its process.
    """
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _end_later)


def _end_later(*_: Any) -> None:
    signal.alarm(PATIENCE_SECONDS)
