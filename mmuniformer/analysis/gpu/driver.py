"""Starts the parts of a report, ends what hangs, goes on after crashes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .items import Place, Record

# Every start costs an import and a context of the GPU.
STARTS = 12
WARMERS = 3


class Process:
    """A part in a process, started again while items are left.

    Args:
        part: Name of the part.
        place: Where it runs.
        share: Which items, see :func:`worker.run_part`.
    """

    def __init__(self, part: str, place: Place, share: str = '0/1') -> None:
        self.part, self.place, self.share = part, place, share
        folder = Path(place.folder)
        first, step = share.split('/')
        name = part if step == '1' else f'{part}_{first}'
        self.record = Record(folder / f'{name}.jsonl')
        self.log = folder / f'{name}.log'
        self.starts = 0
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process."""
        self.close_record('ended before it was done')
        self.starts += 1
        root = str(Path(__file__).resolve().parents[3])
        paths = [root, os.environ.get('PYTHONPATH', '')]
        env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
        with self.log.open('ab') as log:
            self.child = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )

    def command(self) -> list[str]:
        """The command line of the process."""
        return [
            *(sys.executable, '-m', 'mmuniformer.analysis.gpu.worker'),
            *(self.part, '--device', self.place.device),
            *(['--small'] if self.place.small else []),
            *('--folder', self.place.folder, '--share', self.share),
            *('--record', str(self.record.path)),
        ]

    def close_record(self, reason: str) -> None:
        """Answers an item that began and did not end, so that it is left."""
        begun = self.record.begun()
        if begun is not None:
            self.record.write(begun['item'], error=reason)

    def end(self) -> None:
        """Ends the process and all that it started."""
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def interrupt(self) -> None:
        """Ends it; the next call takes up the item that was under way."""
        if self.child is not None and self.child.poll() is None:
            self.end()
            begun = self.record.begun()
            if begun is not None:
                self.record.write(begun['item'], interrupted=True)

    def step(self, deadline: float) -> bool:
        """Looks once; whether there is more to wait for.

        Args:
            deadline: Time of ``time.time`` at which all ends.
        """
        assert self.child is not None
        status = self.child.poll()
        now = time.time()
        if status is None:
            begun = self.record.begun()
            late = begun and now > begun['time'] + begun['limit']
            if now < deadline and not late:
                return True
            if now >= deadline:
                self.interrupt()
                return False
            self.end()
            assert begun is not None
            self.close_record(f'took longer than {begun["limit"]:.0f} s')
        elif status == 0:
            return False
        else:
            self.close_record(f'its process ended with status {status}')
        if self.starts >= STARTS:
            return False
        self.start()
        return True


def run_parts(parts: list[str], place: Place, minutes: float) -> None:
    """Runs parts one after another, until the time is over.

    While those run that measure no time, other processes compile what is
    measured later, so that it is in the cache of the disk.

    Args:
        parts: Of ``worker.PARTS``.
        place: Where to run.
        minutes: For all of them.
    """
    deadline = time.time() + 60 * minutes
    warmers: list[Process] = []
    if 'compiled' in parts:
        count = 1 if place.small else WARMERS
        shares = [f'{i}/{count}' for i in range(count)]
        warmers = [Process('warm', place, share) for share in shares]
    running: dict[Process, Any] = dict.fromkeys(warmers)
    try:
        for warmer in warmers:
            warmer.start()
        for part in parts:
            if part in ('speed', 'operators', 'compiled'):
                wait(list(running), min(deadline, time.time() + 90))
                for warmer in running:
                    warmer.interrupt()
                running = {}
            if time.time() < deadline:
                process = Process(part, place)
                process.start()
                wait([process, *running], deadline, process)
    finally:
        for warmer in warmers:
            warmer.interrupt()


def wait(
    processes: list[Process], deadline: float, until: Process | None = None
) -> None:
    """Waits for processes to end.

    Args:
        processes: That run.
        deadline: Time of ``time.time`` at which they are ended.
        until: One of them; the others may run on when it ends.
    """
    left = list(processes)
    try:
        while left and (until is None or until in left):
            left = [process for process in left if process.step(deadline)]
            time.sleep(0.2)
    except BaseException:
        for process in processes:
            process.interrupt()
        raise
