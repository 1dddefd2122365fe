#!/usr/bin/env python3
"""Shows what the network is fed: tools/analysis/browse_dataset.py CONFIG."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import cv2
from mmengine.config import DictAction
from mmengine.runner import set_random_seed

from mmuniformer.analysis import browse
from mmuniformer.engine.config import exit_with, read_config
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Write pictures after the whole pipeline, labels drawn, '
        'beside the files that they come from; clips as contact sheets.'
    )
    parser.add_argument('config')
    parser.add_argument('--out', default='browse', metavar='DIR')
    parser.add_argument(
        '--split', choices=('train', 'val', 'test'), default='train'
    )
    parser.add_argument('--number', type=int, default=20, help='[20]')
    parser.add_argument('--seed', type=int, default=0, help='[0]')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE'
    )
    return parser.parse_args()


def main():
    """Writes."""
    args = parse_args()
    out = Path(args.out)
    count = 0
    try:
        cfg = read_config(args.config)
        cfg.merge_from_dict(args.cfg_options or {})
        set_random_seed(args.seed)
        browser = browse.Browser(cfg, args.split)
        for name, picture in browser.pictures(args.number):
            out.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(out / f'{name}.png'), picture)
            count += 1
    except (UserError, OSError) as error:
        exit_with(error)
    print(f'{count} pictures in {out}/')


if __name__ == '__main__':
    main()
