#!/usr/bin/env python3
"""Checks the data of a config: tools/check_data.py CONFIG [options].

All that training checks at its start, over every sample: each picture, label
map and video is opened. It ends with status 1 if there are errors.
"""

import json
import sys
import time

import _env  # noqa: F401

from mmuniformer.checks import report
from mmuniformer.checks.every_sample import check_all
from mmuniformer.engine.config import common_parser, exit_with, load_config
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = common_parser(__doc__.split('\n')[0])
    add = parser.add_argument
    add('--splits', nargs='+', default=['train', 'val', 'test'],
        choices=('train', 'val', 'test'), help='[train val test]')  # fmt: skip
    add('--fast', action='store_true', help='read headers, decode nothing')
    add('--workers', type=int, help='processes [one for each CPU]')
    add('--json', metavar='FILE', help='write the report')
    add('--plot', metavar='FILE.png', help='draw classes, boxes and lengths')
    return parser.parse_args()


class Progress:
    """One line for a person who waits."""

    def __init__(self):
        self.began = self.last = time.monotonic()

    def __call__(self, done, total):
        """Prints how far it is, every other second."""
        now = time.monotonic()
        if now - self.last < 2 and done < total:
            return
        self.last = now
        rate = done / max(now - self.began, 1e-3)
        left = (total - done) / max(rate, 1e-3)
        print(
            f'{done}/{total} files, {rate:.0f}/s, {left:.0f} s left',
            file=sys.stderr,
            flush=True,
        )


def main():
    """Prints what each data set holds and what is wrong."""
    args = parse_args()
    try:
        if args.workers is not None and args.workers < 1:
            raise UserError(f'--workers={args.workers}: wanted 1 or more')
        cfg = load_config(args)
        done = check_all(
            cfg, tuple(args.splits), args.fast, args.workers, Progress()
        )
        if args.json:
            with open(args.json, 'w') as file:
                json.dump(done, file, indent=1)
        if args.plot:
            report.plot(done, args.plot)
    except (UserError, OSError) as error:
        exit_with(error)
    print('\n'.join(report.lines(done)))
    sys.exit(any(one['level'] == 'error' for one in done['findings']))


if __name__ == '__main__':
    main()
