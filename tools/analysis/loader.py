#!/usr/bin/env python3
"""Samples per second and core of a training pipeline: loader.py CONFIG.

The pipeline takes turns with others on the same files:

    loader.py configs/cls/uniformer_s.py --peer timm torchvision host
    loader.py configs/det/mask_rcnn_uniformer_b.py --peer host
    loader.py configs/video/uniformer_s_16x4_k400.py --peer frames
    loader.py configs/video/uniformer_s_16x4_k400.py --peer my_config.py

With --workers it starts some and says what memory each has for itself.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _env  # noqa: F401

from mmuniformer.analysis import loader_workers, provenance
from mmuniformer.analysis.loader import race, record, report, rows_of
from mmuniformer.engine.config import (
    common_parser,
    exit_with,
    load_config,
)
from mmuniformer.errors import UserError


def parse_args():
    """Command line: the options of training, and what to compare."""
    parser = common_parser(__doc__.split('\n\n')[0])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = __doc__.split('\n\n', 1)[1]
    parser.add_argument(
        '--peer',
        nargs='+',
        default=[],
        metavar='PEER',
        help='timm, torchvision: the recipe of a classifier by them; host: '
        'a pipeline of the host for such data; frames: videos frame by '
        'frame, by decord, timm and PyTorch; or another config',
    )
    parser.add_argument(
        '--samples', type=int, default=48, help='of one turn [48]'
    )
    parser.add_argument('--rounds', type=int, default=5, help='[5]')
    parser.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='say what memory N workers have for themselves, and no speed',
    )
    parser.add_argument(
        '--batches',
        type=int,
        default=loader_workers.BATCHES,
        help=f'so many before that [{loader_workers.BATCHES}]',
    )
    parser.add_argument(
        '--json', metavar='FILE', help='write the results there, too'
    )
    return parser.parse_args()


def main():
    """Prints the tables."""
    args = parse_args()
    try:
        for name in ('samples', 'rounds', 'workers', 'batches'):
            number = getattr(args, name)
            if number is not None and number < 1:
                raise UserError(f'--{name}={number}: wanted 1 or more')
        if args.workers and args.peer:
            raise UserError('--workers: wanted no --peer beside it')
        cfg = load_config(args)
        if args.workers:
            found = loader_workers.measure(cfg, args.workers, args.batches)
            text = loader_workers.report(found)
        else:
            rows = rows_of(cfg, args.peer)
            race(rows, args.samples, args.rounds)
            found, text = record(rows, args.samples), report(rows)
    except UserError as error:
        exit_with(error)
    if args.json:
        provenance.write(args.json, found)
    print(text)


if __name__ == '__main__':
    main()
