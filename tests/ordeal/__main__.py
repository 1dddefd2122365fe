"""What trainings survive: python -m tests.ordeal; `make ordeal`.

Every training runs as people run it, by tools/train.py on a small toy world.
It is killed or asked to end at random moments, from the first import to the
last write, and goes on by --resume auto until it is done. What it ends with
must equal, bit for bit, what an undisturbed run ends with. Trainings of the
first task are processes of their own; those of others, and what meets files,
work dirs and data that are broken in many ways, are forks of one process that
has imported what they import.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from mmuniformer.toyworld import LAYOUTS, World, write_world

from .. import ROOT
from . import forked, nodes
from .trial import TASKS, Trial, full_disk, not_finite, signals

ROWS = 'kills', 'nan', 'disk', 'weights', 'states', 'data', 'nodes', 'slurm'
# They wait more than they work: a process of their own does them meanwhile.
WAITING = 'nodes', 'slurm'


class Table:
    """Kinds of trials: tried, survived, lost."""

    def __init__(self) -> None:
        self.rows: dict[str, list[int]] = {}
        self.wrong: list[str] = []

    def count(self, kind: str, tried: int, failed: Iterable[str]) -> None:
        """Adds trials of a kind, and what went wrong."""
        failed = list(failed)
        row = self.rows.setdefault(kind, [0, 0])
        row[0] += tried
        row[1] += min(len(failed), tried) if tried else len(failed)
        self.wrong += failed
        for line in failed:
            print(f'lost: {line}', flush=True)

    def write(self, path: Path) -> None:
        """Writes it for another process."""
        path.write_text(json.dumps([self.rows, self.wrong]))

    def add(self, path: Path) -> None:
        """Adds what another process has written."""
        rows, wrong = json.loads(path.read_text())
        self.rows.update(rows)
        self.wrong += wrong

    def show(self) -> None:
        """Prints the table."""
        print(f'\n{"kind":34}{"tried":>6}{"survived":>9}{"lost":>5}')
        for kind, (tried, lost) in self.rows.items():
            print(f'{kind:34}{tried:6}{tried - lost:9}{lost:5}')
        for line in self.wrong:
            print(f'lost: {line}')


def disturbed(folder: Path, args: argparse.Namespace, table: Table) -> None:
    """Trainings of each task in processes of their own."""
    rng = random.Random(args.seed)
    # The start is the same for all tasks: one is enough to be killed in it.
    own = 'cls' * (not args.forks)
    if {*args.tasks} - {own}:
        forked.prepare()
    for task in args.tasks:
        trial = Trial(folder, task)
        trial.forks = task != own
        begin = time.monotonic()
        if trial.run(f'{task}_whole'):
            last = trial.log(f'{task}_whole').splitlines()[-1]
            table.count('undisturbed', 1, [f'{task}: {last}'])
            continue
        seconds = time.monotonic() - begin
        wanted = trial.result(f'{task}_whole')
        trial.measure(f'{task}_whole')
        if 'kills' in args.rows:
            for number, times in (
                (signal.SIGKILL, args.kills),
                (signal.SIGTERM, args.terms),
            ):
                name = signal.Signals(number).name
                table.count(
                    f'{name}, then resumed, {task}',
                    *signals(trial, wanted, seconds, number, times, rng),
                )
        if 'nan' in args.rows:
            for value in ('nan', '1e30'):
                done = not_finite(trial, value)
                table.count(f'{value} in a batch, {task}', *done)
        if task == 'cls' and 'disk' in args.rows:
            table.count('disk full', *full_disk(trial))
        if task == 'cls' and 'nodes' in args.rows:
            for row in nodes.trials(trial):
                table.count(*row)
        if task == 'cls' and 'slurm' in args.rows:
            from . import slurm

            for row in slurm.trials(trial, wanted):
                table.count(*row)


def beside(folder: Path, args: argparse.Namespace) -> list:
    """Begins the rows that wait, if there are others; its process."""
    rows = [row for row in args.rows if row in WAITING]
    if not rows or rows == args.rows or 'cls' not in args.tasks:
        return []
    args.rows = [row for row in args.rows if row not in rows]
    command = [
        sys.executable, '-m', 'tests.ordeal', '--rows', *rows, '--tasks',
        'cls', '--table', str(folder / 'table'),
    ]  # fmt: skip
    return [subprocess.Popen(command, cwd=ROOT)]


def in_forks(folder: Path, args: argparse.Namespace, table: Table) -> None:
    """Broken files, work dirs and data."""
    from . import data, states, weights

    forked.prepare()
    if 'states' in args.rows:
        for kind, wrong in states.trials(folder):
            table.count(f'work dir: {kind}', 1, wrong)
    if 'weights' in args.rows:
        for wrong in weights.trials(folder, args.files, args.seed):
            table.count('weight files, four tools each', 1, wrong[:1])
    if 'data' in args.rows:
        for task, wrong in data.trials(folder):
            table.count(f'bad data, {task}', 1, wrong)


def end_by_signals() -> None:
    """Has signals end the trials as an error would, with what they started.

    A shell in the background has its children ignore ^C.
    """
    own = os.getpid()

    def leave(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != own:  # a fork, which has not begun yet
            os.kill(os.getpid(), number)
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)


def remove(folder: Path) -> None:
    """Removes the trials and what still runs in them."""
    for pid in forked.below(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Runs the trials and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add('--rows', nargs='+', default=[*ROWS], choices=ROWS)
    add('--tasks', nargs='+', default=[*TASKS], choices=TASKS)
    add('--kills', type=int, default=12, help='for each task')
    add('--terms', type=int, default=4, help='for each task')
    add('--forks', action='store_true', help='of the first task, too')
    add('--files', type=int, default=300, help='mutated weight files')
    add('--seed', type=int, default=0)
    add('--table', type=Path, help='write it here, for another process')
    args = parser.parse_args()
    table = Table()
    end_by_signals()
    begin = time.monotonic()
    # Not a TemporaryDirectory, which every fork would remove at its end.
    folder = Path(tempfile.mkdtemp(prefix='ordeal_'))
    others = beside(folder, args)
    try:
        os.environ['PYTHONPATH'] = str(ROOT)
        os.environ['OMP_NUM_THREADS'] = '1'
        world = World(size=96, images_train=8, images_val=4)
        write_world(folder / 'data', world, (*LAYOUTS, 'kinetics'))
        if {'kills', 'nan', 'disk', 'nodes', 'slurm'} & {*args.rows}:
            disturbed(folder, args, table)
        if {'weights', 'states', 'data'} & {*args.rows}:
            in_forks(folder, args, table)
        for process in others:
            if process.wait() not in (0, 1):
                table.count('nodes, Slurm', 1, ['their process has died'])
            else:
                table.add(folder / 'table')
    finally:
        for process in others:
            process.terminate()  # it removes what is its own
            process.wait()
        remove(folder)
    if args.table:
        table.write(args.table)
        sys.exit(bool(table.wrong))
    table.show()
    print(f'{(time.monotonic() - begin) / 60:.1f} minutes')
    sys.exit(bool(table.wrong))


if __name__ == '__main__':
    main()
