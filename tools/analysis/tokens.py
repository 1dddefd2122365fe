#!/usr/bin/env python3
"""Shows what light models keep: tools/analysis/tokens.py MODEL SOURCE..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import numpy as np
from _looking import looking_parser, run

from mmuniformer.analysis import tokens, views


def main():
    """Draws."""
    args = looking_parser(
        'Which tokens a light model keeps, block by block; what it does not '
        'look at is dark.',
        'tokens',
    ).parse_args()

    def prepare(predictor):
        def show(job, path):
            layers, picture = tokens.layers(predictor, job)
            shown = {one.title: tokens.shaded(one.kept, picture)
                     for one in layers}  # fmt: skip
            views.write(path, shown)
            np.savez(f'{path}.npz', **{o.name: o.kept for o in layers})
            return f'{len(layers)} blocks'

        return show

    run(args, prepare)


if __name__ == '__main__':
    main()
