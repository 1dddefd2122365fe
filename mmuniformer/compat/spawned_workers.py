"""Spawned worker processes start without the answers of this package.

A data loader's worker that is spawned, not forked, imports the host to
unpickle its data set before any line of ours runs: where the main program is
a host's own ``tools/train.py``, nothing in the worker knows of this package.
What lies in the configuration of a process is handed to its children, and is
unpickled before their arguments: a reference to ``install`` there imports
this package in time. (No upstream issue: import hooks are ours to carry over.)
"""

from collections.abc import Callable
from multiprocessing import process


def apply(install: Callable[[], None]) -> None:
    """Has every child process import the module of ``install`` first."""
    process.current_process()._config['mmuniformer'] = install  # type: ignore
