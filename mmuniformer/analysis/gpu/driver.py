"""Starts the parts of a report, ends what hangs, goes on after crashes."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from .items import Place, Record
from .worker import TIMED

# Every start costs an import and a context of the GPU.
STARTS = 12
WARMERS = 3
# Share of the time for what is not timed, at most.
EARLY_SHARE = 0.45
# An item during which the whole report was killed is taken up again, but not
# for ever: it may be the one that brings the machine down.
TRIES = 3
# What a process takes to start, at most.
STARTING_SECONDS = 60.0
# A process that a driver holds does not end at once.
ENDING_SECONDS = 10


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
        begun = self.record.begun()
        if begun is not None and begun['tries'] < TRIES:
            self.record.write(begun['item'], interrupted=True)
        self.close_record('the report was killed while it ran')
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
            *('--parent', str(os.getpid())),
        ]

    def close_record(self, reason: str) -> None:
        """Answers an item that began and did not end, so that it is left."""
        begun = self.record.begun()
        if begun is not None:
            self.record.write(begun['item'], error=reason)

    def end(self) -> None:
        """Ends the process, and what it started and has left."""
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(ENDING_SECONDS)

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
            self.end()
            self.close_record(f'its process ended with status {status}')
        if self.starts >= STARTS:
            return False
        self.start()
        return True


def run_parts(parts: list[str], place: Place, minutes: float) -> None:
    """Runs parts until the time is over.

    First, side by side, those that measure no time, and processes that
    compile what is measured later, so that it is in the cache of the disk;
    then the others one by one, with nothing beside them.

    Args:
        parts: Of ``worker.PARTS``.
        place: Where to run.
        minutes: For all of them, from the start of this process on.
    """
    start, seconds = time.time() - age(), 60 * minutes
    deadline = start + seconds
    timed = [part for part in parts if part in TIMED]
    early = [(part, '0/1') for part in parts if part not in TIMED]
    count = 1 if place.small else WARMERS
    warm = [('warm', f'{i}/{count}') for i in range(count)]
    if 'compiled' in parts:
        early += warm
    share = EARLY_SHARE if timed else 1
    together(early, place, start + share * seconds)
    for part in timed:
        together([(part, '0/1')], place, deadline)
    together([one for one in early if one not in warm], place, deadline)


def age() -> float:
    """Seconds of this process: to import PyTorch may take half a minute."""
    try:
        fields = Path('/proc/self/stat').read_text().rpartition(')')[2].split()
        up = float(Path('/proc/uptime').read_text().split()[0])
    except OSError:
        return 0.0
    # The 22nd field, counted from the third on; not every kernel tells it.
    began = int(fields[19]) / os.sysconf('SC_CLK_TCK')
    return min(max(up - began, 0.0), STARTING_SECONDS) if began else 0.0


def together(
    parts: list[tuple[str, str]], place: Place, deadline: float
) -> None:
    """Runs parts side by side, those that are not whole.

    Args:
        parts: Name and share, see :func:`worker.run_part`.
        place: Where to run.
        deadline: Time of ``time.time`` at which they are ended.
    """
    processes = [Process(part, place, share) for part, share in parts]
    left = [one for one in processes if not one.record.is_whole()]
    if time.time() >= deadline:
        return
    try:
        for process in left:
            process.start()
        wait(left, deadline)
    finally:
        for process in left:
            process.interrupt()


def wait(processes: list[Process], deadline: float) -> None:
    """Waits for processes that were started.

    Args:
        processes: That run.
        deadline: Time of ``time.time`` at which they are ended.
    """
    left = list(processes)
    while left:
        left = [process for process in left if process.step(deadline)]
        time.sleep(0.2)
