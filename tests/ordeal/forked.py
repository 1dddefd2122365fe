"""Tools in forks of one process that has imported all hosts already.

A fork runs the same file as a process of its own would, from its first line
to its exit status, without the seconds of imports.
"""

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .. import ROOT

LIMIT = 120  # seconds until a tool is said to hang
ORPHAN_SECONDS = 10
HOSTS = (
    'mmpretrain.models', 'mmpretrain.datasets', 'mmpretrain.evaluation',
    'mmdet.models', 'mmdet.datasets', 'mmdet.evaluation',
    'mmseg.models', 'mmseg.datasets', 'mmseg.evaluation',
    'mmpose.models', 'mmpose.datasets', 'mmpose.evaluation',
    'mmaction.models', 'mmaction.datasets', 'mmaction.evaluation',
)  # fmt: skip


class Job(NamedTuple):
    """A tool to run.

    Attributes:
        name: Of the trial; its output is in a file of this name.
        command: A file below the root of the project, and its arguments.
        folder: Working folder.
        judge: From the outcome to what is wrong with it, '' for nothing.
    """

    name: str
    command: list[str]
    folder: Path
    judge: Callable[['Outcome'], str]


class Outcome(NamedTuple):
    """How a tool has ended.

    Attributes:
        status: Exit status, negative after a signal.
        text: All that it has said.
        orphans: Processes that it has left behind.
        hangs: Whether it had to be killed.
    """

    status: int
    text: str
    orphans: int = 0
    hangs: bool = False

    @property
    def errors(self) -> list[str]:
        """The lines for people."""
        lines = self.text.splitlines()
        return [line for line in lines if line.startswith('error: ')]

    @property
    def fault(self) -> str:
        """What no tool may do, whatever it is given; '' if it did not."""
        if self.hangs:
            return f'hangs for more than {LIMIT} s'
        if self.orphans:
            return f'{self.orphans} processes are left behind'
        if 'Traceback' in self.text:
            return f'a traceback: {self.last}'
        if self.status not in (0, 2):
            return f'exit status {self.status}: {self.last}'
        if self.status == 2 and len(self.errors) != 1:
            return f'{len(self.errors)} lines of errors: {self.last}'
        return ''

    @property
    def last(self) -> str:
        """The end of what it said."""
        return (self.text.strip().splitlines() or ['nothing'])[-1][:240]


def prepare(hosts: Iterable[str] = HOSTS) -> None:
    """Imports what tools import."""
    import importlib

    import cv2
    import torch

    sys.path.insert(0, str(ROOT / 'tools'))
    importlib.import_module('_env')
    # Threads do not live on in a fork.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    for name in hosts:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


class Fork:
    """A tool in a fork, with what ``subprocess.Popen`` has.

    Args:
        command: A file below the root of the project, and its arguments.
        folder: Working folder.
        log: The file that gets all that it says.
    """

    def __init__(self, command: list, folder: Path, log: Path) -> None:
        self.pid = _fork(command, folder, log, os.O_APPEND)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        if self.returncode is None:
            done, state = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.returncode = os.waitstatus_to_exitcode(state)
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Its exit status.

        Raises:
            subprocess.TimeoutExpired: It has none after so many seconds.
        """
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired('a fork', seconds)
            time.sleep(0.002)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends it a signal."""
        os.kill(self.pid, number)

    def orphans(self) -> int:
        """Processes that it has left behind."""
        return _left_behind(self.pid)


def run_all(jobs: Iterable[Job], parallel: int = 2) -> Iterator[str]:
    """Runs jobs, some at a time.

    Yields:
        What is wrong with each, '' for nothing.
    """
    waiting = iter(jobs)
    running: dict[int, tuple[Job, float]] = {}
    while True:
        while len(running) < parallel:
            job = next(waiting, None)
            if job is None:
                break
            log = job.folder / f'{job.name}.log'
            pid = _fork(job.command, job.folder, log, os.O_TRUNC)
            running[pid] = job, time.monotonic()
        if not running:
            return
        for pid, (job, begin) in list(running.items()):
            late = time.monotonic() - begin > LIMIT
            if late:
                os.killpg(pid, signal.SIGKILL)
            done, state = os.waitpid(pid, 0 if late else os.WNOHANG)
            if done:
                del running[pid]
                yield _judge(job, pid, state, late)
        time.sleep(0.01)


def _fork(command: list, folder: Path, path: Path, mode: int) -> int:
    """Begins a tool in a fork; the number of its process."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        os.chdir(folder)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | mode)
        os.dup2(log, 1)
        os.dup2(log, 2)
        tool = ROOT / command[0]
        sys.argv = [str(tool), *map(str, command[1:])]
        runpy.run_path(str(tool), run_name='__main__')
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _judge(job: Job, pid: int, state: int, late: bool) -> str:
    orphans = 0 if late else _left_behind(pid)
    path = job.folder / f'{job.name}.log'
    text = path.read_text(errors='replace') if path.exists() else ''
    status = os.waitstatus_to_exitcode(state)
    outcome = Outcome(status, text, orphans, late)
    said = outcome.fault or job.judge(outcome)
    return f'{job.name}: {said}' if said else ''


def _left_behind(session: int) -> int:
    """Processes of a session that outlive it; those are killed."""
    end = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < end:
        alive = [pid for pid, of in _sessions() if of == session]
        if not alive:
            return 0
        time.sleep(0.1)
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(alive)


def below(folder: Path) -> Iterator[int]:
    """Processes that work in a folder, or name it in their command."""
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                where = os.readlink(entry / 'cwd')
                command = (entry / 'cmdline').read_bytes()
                if str(folder) in where or str(folder).encode() in command:
                    yield int(entry.name)


def _sessions() -> Iterator[tuple[int, int]]:
    """Processes and their sessions; of those that have not ended."""
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / 'stat').read_text()
                state, _, _, session = stat.rpartition(')')[2].split()[:4]
                if state != 'Z':
                    yield int(entry.name), int(session)
