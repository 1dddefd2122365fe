#!/usr/bin/env python3
"""Shows attention: tools/analysis/attention.py MODEL SOURCE..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import numpy as np
from _looking import looking_parser, run

from mmuniformer.analysis import attention, views


def parse_args():
    """Command line."""
    parser = looking_parser(
        'What a point of the picture, or the class token of a light model, '
        'looks at: in each block of stages 3 and 4, by head, or rolled out.',
        'attention',
    )
    parser.add_argument(
        '--query',
        nargs='+',
        type=float,
        metavar='X',
        help='point X Y, of clips X Y T, as shares from 0 to 1 [class token '
        'of light models, or all points alike]',
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        '--heads', metavar='BLOCK', help='each head of a block, e.g. blocks3.2'
    )
    what.add_argument(
        '--rollout',
        action='store_true',
        help='through all blocks, what goes past them included',
    )
    return parser.parse_args()


def main():
    """Draws."""
    args = parse_args()

    def prepare(predictor):
        def show(job, path):
            maps, picture = attention.maps(
                predictor, job, args.query, args.heads, args.rollout
            )
            views.write(path, attention.overlays(maps, picture, args.query))
            np.savez(f'{path}.npz', **maps)
            return f'{len(maps)} maps'

        return show

    run(args, prepare)


if __name__ == '__main__':
    main()
