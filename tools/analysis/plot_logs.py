#!/usr/bin/env python3
"""Draws curves of runs, or a schedule: tools/analysis/plot_logs.py RUN..."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
from mmengine.config import Config

from mmuniformer.analysis import logs, provenance
from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Draw losses, learning rates and metrics of one or '
        'several runs; of a config (.py), its learning rates before it is '
        'run.'
    )
    parser.add_argument(
        'runs', nargs='+', metavar='RUN', help='work dirs, logs or configs'
    )
    parser.add_argument(
        '--keys', nargs='+', help='curves to draw [losses, lr, metrics]'
    )
    parser.add_argument('--out', default='curves.png', help='[curves.png]')
    parser.add_argument(
        '--steps-per-epoch',
        type=int,
        default=1000,
        help='of configs: iterations of an epoch [1000]',
    )
    parser.add_argument(
        '--json',
        metavar='FILE',
        help='write the last value of each curve',
    )
    return parser.parse_args()


def main():
    """Draws."""
    args = parse_args()
    try:
        runs = {}
        for run in args.runs:
            if not Path(run).exists():
                raise UserError(f'RUN={run!r}: no such file or folder')
            if run.endswith('.py'):
                cfg = Config.fromfile(run)
                runs[run] = logs.schedule(cfg, args.steps_per_epoch)
            else:
                runs[run] = logs.read_curves(logs.find_logs(run))
        known = list(
            dict.fromkeys(k for curves in runs.values() for k in curves)
        )
        keys = args.keys or known
        unknown = [key for key in keys if key not in known]
        if unknown:
            raise UserError(
                f'--keys {" ".join(unknown)}: no such curve; there are '
                f'{", ".join(known)}'
            )
        logs.draw(runs, keys, args.out)
        if args.json:
            rows = [
                dict(
                    name=run,
                    last={key: y[-1] for key, (_, y) in curves.items()},
                )
                for run, curves in runs.items()
            ]
            provenance.write(args.json, dict(rows=rows))
        print(f'{len(keys)} curves of {len(runs)} runs: {args.out}')
    except (UserError, OSError) as error:
        exit_with(error)


if __name__ == '__main__':
    main()
