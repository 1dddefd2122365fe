r"""What this project does on a GPU, in one command: gpu_report.py.

Answers are written one by one into a folder; the same command goes on where
it was ended. Every part is a process of its own with a limit for each item,
so that a crash costs one item.

    gpu_report.py                          # all, on the first GPU
    gpu_report.py --parts correct suspects
    gpu_report.py --device cpu --small     # tries the code, in minutes
"""

import argparse
import shutil
import signal
import sys
from pathlib import Path

import torch

from ...engine.config import exit_with
from ...errors import UserError
from . import driver, pages
from .items import Place
from .worker import PARTS


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    doc = __doc__ or ''
    parser = argparse.ArgumentParser(
        description=doc.split('\n\n')[0],
        epilog=doc.split('\n\n', 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('--out', default='work_dirs/gpu_report', metavar='DIR',
        help='of the answers [work_dirs/gpu_report]')  # fmt: skip
    add('--device', choices=('cuda', 'cpu'), default='cuda', help='[cuda]')
    add('--small', action='store_true', help='tiny sizes, to try the code')
    add('--parts', nargs='+', choices=PARTS, default=list(PARTS),
        metavar='PART', help=f'of {", ".join(PARTS)} [all]')  # fmt: skip
    add('--minutes', type=float, default=8.8,
        help='when to stop; the next call goes on [8.8]')  # fmt: skip
    add('--again', action='store_true', help='forget the answers of before')
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> dict:
    """All answers, as they are written.

    Raises:
        UserError: There is no GPU, or the folder has another kind of report.
    """
    if args.device == 'cuda' and not torch.cuda.is_available():
        raise UserError(
            '--device=cuda: this PyTorch sees no GPU; wanted one, or '
            '--device cpu --small to try the code'
        )
    if args.device == 'cpu' and not args.small:
        raise UserError('--device=cpu: wanted --small, for a CPU takes hours')
    if not args.minutes > 0:
        raise UserError(f'--minutes={args.minutes}: wanted a positive number')
    folder = Path(args.out).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / 'of.txt'
    kind = f'{args.device}{" small" if args.small else ""}'
    if args.again:
        for path in (*folder.glob('*.jsonl'), *folder.glob('*.whole')):
            path.unlink()
        shutil.rmtree(folder / 'work', ignore_errors=True)
    elif mark.is_file() and mark.read_text() != kind:
        raise UserError(
            f'--out={args.out!r} has answers of {mark.read_text()!r}; wanted '
            f'another folder, or --again'
        )
    mark.write_text(kind)
    place = Place(args.device, args.small, str(folder))
    for number in (signal.SIGTERM, signal.SIGHUP):  # not without its children
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    parts = [part for part in PARTS if part in args.parts]
    driver.run_parts(parts, place, args.minutes)
    return pages.write(place)


def main(argv: list[str] | None = None) -> None:
    """Runs the report, and says where it is and what it lacks."""
    args = parse_args(argv)
    try:
        found = run(args)
    except UserError as error:
        exit_with(error)
    answers = [a for part in found['parts'].values() for a in part.values()]
    failed = sum('error' in a for a in answers)
    left = sum('left_out' in a for a in answers)
    print(
        f'{len(answers)} answers, of which {failed} failed and {left} are '
        f'left out: {args.out}/report.md'
    )
    sys.exit(1 if failed else 0)
