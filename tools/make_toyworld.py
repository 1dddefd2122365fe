#!/usr/bin/env python3
"""Makes a toy world: small drawn scenes with exact labels.

It is a stand-in for COCO, ADE20K and ImageNet, and in clips for Kinetics and
Something-Something, to try training and testing without a download: the same
folders and file formats. Class names and numbers are those of COCO and ADE20K,
so configs for these two run on it unmodified; the others have eight classes.
Those of the clips are told by motion alone: shuffled frames are of any class.
What is measured on it says nothing about the real data.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mmuniformer.toyworld import (  # noqa: E402
    CLIP_LAYOUTS,
    LAYOUTS,
    LIMITS,
    World,
    write_world,
)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Ends with status 2."""
        self.exit(2, f'{self.prog}: {message}\n')


def integer(name: str) -> Callable[[str], int]:
    """A parser of one of the parameters of a world."""
    low, high = LIMITS[name]

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f'got {text!r}, wanted an integer from {low} to {high}'
            )
        return value

    return parse


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='The same seed and size give the same files on every machine.\n'
        'Data of another origin is never overwritten.',
    )
    plain = World()
    for name, text in (
        ('images_train', 'number of training pictures, or clips'),
        ('images_val', 'number of validation pictures, or clips'),
        ('size', 'longer side of the pictures in pixels; clips have 80'),
        ('seed', 'another seed, another world'),
    ):
        default = getattr(plain, name)
        parser.add_argument(
            f'--{name.replace("_", "-")}',
            type=integer(name),
            default=default,
            metavar='N',
            help=f'{text} (default {default})',
        )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('data'),
        metavar='FOLDER',
        help='where to put the folders of the layouts (default %(default)s)',
    )
    parser.add_argument(
        '--layouts',
        nargs='+',
        choices=[*LAYOUTS, *CLIP_LAYOUTS],
        default=list(LAYOUTS),
        metavar='LAYOUT',
        help='formats to write: coco is boxes and masks in FOLDER/coco, '
        'keypoints people and their joints beside them, ade semantic '
        'segmentation in FOLDER/ade, imagenet one thing per picture in '
        'FOLDER/imagenet (default all of these); kinetics is mp4 files in '
        'FOLDER/kinetics400, ssv frames of clips in FOLDER/sthv1',
    )
    parser.add_argument(
        '--force',
        action='store_true',
        help='replace a toy world that is there already',
    )
    return parser.parse_args(argv)


def show(noun: str, done: int, total: int) -> None:
    """One line that counts; ten lines where the output is not a terminal."""
    if sys.stdout.isatty():
        end = '\n' if done == total else ''
        print(f'\r{done}/{total} {noun}', end=end, flush=True)
    elif done * 10 // total != (done - 1) * 10 // total:
        print(f'{done}/{total} {noun}', flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the layouts; returns the exit status."""
    args = parse_args(argv)
    world = World(**{name: getattr(args, name) for name in LIMITS})
    # Start-up of a process takes as long as a hundred pictures.
    total = world.images_train + world.images_val
    workers = max(1, min(os.cpu_count() or 1, total // 100))
    noun = 'clips' if {*args.layouts} <= {*CLIP_LAYOUTS} else 'pictures'
    start = time.perf_counter()
    try:
        written = write_world(
            args.out,
            world,
            args.layouts,
            workers,
            args.force,
            partial(show, noun),
        )
    except (OSError, BrokenProcessPool) as error:
        print(f'make_toyworld.py: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f'make_toyworld.py: interrupted, {args.out} is incomplete; '
            f'the same command begins anew',
            file=sys.stderr,
        )
        return 130
    seconds = time.perf_counter() - start
    for name, layout in {**LAYOUTS, **CLIP_LAYOUTS}.items():
        if name in written:
            text = f'written in {seconds:.1f} s'
        elif name in args.layouts:
            text = 'already complete'
        else:
            continue
        folder = args.out / layout.path
        noun = 'clips' if name in CLIP_LAYOUTS else 'pictures'
        print(f'{folder}: {name}, toy world of {total} {noun}, {text}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
