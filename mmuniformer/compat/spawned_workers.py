"""Spawned worker processes start without the answers of this package.

A data loader's worker that is spawned, not forked, imports the host to
unpickle its data set before any line of ours runs. What lies in the
configuration of a process is handed to its children, and is unpickled before
their arguments: an object there that unpickles by a call of ``install`` brings
the answers in time. (No upstream issue: import hooks are ours to carry over.)
"""

from collections.abc import Callable
from multiprocessing import process
from typing import Any


class _Carried:
    """Calls a function in every process that it arrives in."""

    def __init__(self, install: Callable[[], None]) -> None:
        self.install = install

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrive, (self.install,)


def _arrive(install: Callable[[], None]) -> _Carried:
    install()
    return _Carried(install)


def apply(install: Callable[[], None]) -> None:
    """Has every child process call ``install`` first."""
    config = process.current_process()._config  # type: ignore[attr-defined]
    config['mmuniformer'] = _Carried(install)
