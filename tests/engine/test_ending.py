"""A tool that has done its work ends with its own status."""

import signal
from types import SimpleNamespace

import pytest

from mmuniformer.engine import ending


class Exit(BaseException):
    """In place of the end of the process."""


def test_workers_that_are_killed_at_the_end_are_no_error(monkeypatch):
    """PyTorch's handler raises when a loader's worker dies."""

    def leave(status):
        raise Exit(status)

    def handler(*_):
        raise RuntimeError('DataLoader worker is killed by signal: Killed')

    worker = SimpleNamespace(kill=lambda: signal.raise_signal(signal.SIGCHLD))
    monkeypatch.setattr(ending.os, '_exit', leave)
    monkeypatch.setattr(
        ending.multiprocessing, 'active_children', lambda: [worker]
    )
    before = signal.signal(signal.SIGCHLD, handler)
    try:
        with pytest.raises(Exit, match='3'):
            ending.finish(3)
    finally:
        signal.signal(signal.SIGCHLD, before)
