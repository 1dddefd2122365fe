"""Processes that notice when another one is gone, and say which.

The libraries below wait: gloo and NCCL for as long as
``env_cfg.dist_cfg.timeout``, which has to be long, since the first process
evaluates alone; a link that is cut sends no sign at all. Here every process
counts in the store of the launcher, in a thread of its own, and looks at how
the others count.
"""

import os
import socket
import sys
import threading
import time
from datetime import timedelta
from typing import Any

from torch.distributed import TCPStore

from ..errors import LocalUserError

BEAT_SECONDS = 5.0
# Longer than Python is ever kept from its threads.
LOST_SECONDS = 75.0
MEETING_SECONDS = 110.0
GONE = b'-1'
# What tools/_torchrun.py says of a process that died, and on which host.
FAILED = b'-2 '
# A process that has the same error is to say it first.
FAILED_SECONDS = 10.0
LOST_STATUS = 3


def enabled() -> bool:
    """Whether there are several processes, and a store of their launcher."""
    return (
        os.environ.get('TORCHELASTIC_USE_AGENT_STORE') == 'True'
        and int(os.environ.get('WORLD_SIZE', 1)) > 1
        and os.environ.get('MMUNIFORMER_HEARTBEAT') != '0'
    )


def connect() -> TCPStore:
    """A client of its own to the store of the launcher."""
    return TCPStore(
        os.environ['MASTER_ADDR'],
        int(os.environ['MASTER_PORT']),
        is_master=False,
        timeout=timedelta(seconds=MEETING_SECONDS),
    )


def key(what: str, rank: int) -> str:
    """A name in the store; another one after each restart of torchrun."""
    run = os.environ.get('TORCHELASTIC_RUN_ID', '')
    again = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    return f'mmuniformer/{run}/{again}/{what}/{rank}'


def meet(store: Any, rank: int, size: int, limit: float) -> None:
    """Waits until all processes are there.

    Args:
        store: That of the launcher.
        rank: Number of this process.
        size: How many there are.
        limit: Seconds to wait.

    Raises:
        LocalUserError: Some are missing, by name; or have ended before; or
            two have one number.
    """
    host = f'{socket.gethostname()} process {os.getpid()}'
    store.set(key('host', rank), host)
    first = store.compare_set(key('first', rank), '', host).decode()
    if first not in ('', host):
        raise LocalUserError(
            f'RANK={rank} was given twice: to {first} and to {host}'
        )
    end = time.monotonic() + limit
    missing = list(range(size))
    while True:
        missing = [r for r in missing if not store.check([key('host', r)])]
        if not missing:
            return
        for other in missing:
            if store.check([key('beat', other)]):  # and has never come
                value = store.get(key('beat', other))
                raise LocalUserError(f'process {rank}: {ended(other, value)}')
        if time.monotonic() > end:
            names = ' '.join(map(str, missing))
            raise LocalUserError(
                f'process {rank} of {size} has waited {limit:.0f} s: process '
                f'{names} has not come; see what it says on its machine, and '
                f'that NODE_RANK, MASTER_ADDR and PORT are right on each'
            )
        time.sleep(0.1)


def ended(rank: int, value: bytes) -> str:
    """What a process says of another one that has ended with an error."""
    host = value.removeprefix(FAILED).decode(errors='replace')
    return f'process {rank} has ended with an error, see what {host} says'


class Heartbeat:
    """Counts, and watches the others count.

    Args:
        store: That of the launcher, for this alone.
        rank: Number of this process.
        size: How many there are.
        lost: Seconds after which a silent process counts as lost.
        beat: Seconds between two counts.
        leave: What to do when one is lost, with the line that says so.

    Attributes:
        patience: Seconds until it leaves after one that ended with an error.
    """

    patience = FAILED_SECONDS

    def __init__(
        self,
        store: Any,
        rank: int,
        size: int,
        lost: float = LOST_SECONDS,
        beat: float = BEAT_SECONDS,
        leave: Any = None,
    ) -> None:
        self.store, self.rank, self.size = store, rank, size
        self.lost, self.beat = lost, beat
        self.leave = leave or say_and_leave
        self.reached = time.monotonic()
        self.stopped = threading.Event()

    def start(self) -> None:
        """Begins."""
        for target in (self.count, self.watch):
            threading.Thread(target=target, daemon=True).start()

    def stop(self) -> None:
        """Ends, and tells the others that this is no loss."""
        self.stopped.set()
        try:
            self.store.set(key('beat', self.rank), GONE)
        except Exception:
            pass  # the launcher has ended before

    def count(self) -> None:
        """Counts, and looks at the others, until it is stopped."""
        others = [r for r in range(self.size) if r != self.rank]
        seen: dict[int, tuple[bytes, float]] = {}
        number = 0
        while not self.stopped.wait(self.beat if number else 0):
            number += 1
            for other, (value, since) in seen.items():
                late = time.monotonic() - since > self.patience
                if value.startswith(FAILED) and late:
                    self.end(ended(other, value))
                    return
            try:
                self.store.set(key('beat', self.rank), str(number))
                there = [
                    r for r in others if self.store.check([key('beat', r)])
                ]
                names = [key('beat', r) for r in there]
                values = self.store.multi_get(names) if names else []
            except Exception:
                continue  # `watch` says it
            now = self.reached = time.monotonic()
            for other, value in zip(there, values, strict=True):
                if other not in seen or seen[other][0] != value:
                    seen[other] = value, now
                elif value.startswith((GONE, FAILED)):
                    pass
                elif now - seen[other][1] > self.lost:
                    self.report(other)
                    return

    def report(self, other: int) -> None:
        """Says which process is silent, and where it was."""
        try:
            host = self.store.get(key('host', other)).decode()
        except Exception:
            host = 'an unknown host'
        self.end(
            f'process {other} ({host}) has not been heard of for '
            f'{self.lost:.0f} s'
        )

    def watch(self) -> None:
        """Says when the store itself, on the first node, is out of reach."""
        while not self.stopped.wait(self.beat):
            if time.monotonic() - self.reached > self.lost + self.beat:
                where = os.environ.get('MASTER_ADDR', 'the first node')
                self.end(
                    f'{where} cannot be reached for {self.lost:.0f} s: the '
                    f'link is cut, or the first node has ended'
                )
                return

    def end(self, what: str) -> None:
        """Ends this process, unless it has ended its work."""
        if not self.stopped.is_set():
            self.stopped.set()
            self.leave(
                f'error: process {self.rank}: {what}; --resume auto goes on '
                f'from the last checkpoint'
            )


def say_and_leave(line: str) -> None:
    """Prints a line and ends the process, whatever it waits for."""
    print(line, file=sys.stderr, flush=True)
    os._exit(LOST_STATUS)


_running: list[Heartbeat] = []


def begin() -> None:
    """Meets the other processes and watches them, where there are any.

    Raises:
        LocalUserError: Some have not come.
    """
    if not enabled():
        return
    rank, size = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
    try:
        meet(connect(), rank, size, MEETING_SECONDS)
        beat = Heartbeat(connect(), rank, size)
    except RuntimeError as error:
        where = f'{os.environ["MASTER_ADDR"]}:{os.environ["MASTER_PORT"]}'
        reason = ' '.join(str(error).split())[:120]
        raise LocalUserError(
            f'process {rank}: {where} cannot be reached ({reason}); wanted '
            f'the address and a free port of the first node'
        ) from error
    beat.start()
    _running.append(beat)


def end() -> None:
    """Tells the others that this process has ended its work."""
    while _running:
        _running.pop().stop()
