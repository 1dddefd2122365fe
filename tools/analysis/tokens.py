#!/usr/bin/env python3
"""Shows what light models keep: tools/analysis/tokens.py MODEL SOURCE..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import numpy as np
from _looking import looking_parser, run

from mmuniformer.analysis import provenance, tokens, views
from mmuniformer.weights.load import find_backbone


def parse_args():
    """Command line."""
    parser = looking_parser(
        'Which tokens a light model keeps, block by block; what it does not '
        'look at is dark.',
        'tokens',
    )
    parser.add_argument(
        '--against', nargs='+', default=[], choices=tokens.PRECISIONS,
        help='say which share of the kept tokens is kept in another '
        'precision, too',
    )  # fmt: skip
    parser.add_argument(
        '--json', metavar='FILE', help='write the shares of --against'
    )
    return parser.parse_args()


def main():
    """Draws."""
    args = parse_args()
    shares = {kind: [] for kind in args.against}

    def prepare(predictor):
        backbone = find_backbone(predictor.model)[1]
        others = {k: tokens.in_precision(backbone, k) for k in args.against}

        def show(job, path):
            layers, x, picture = tokens.layers(predictor, job)
            shown = {one.title: tokens.shaded(one.kept, picture)
                     for one in layers}  # fmt: skip
            views.write(path, shown)
            np.savez(f'{path}.npz', **{o.name: o.kept for o in layers})
            said = f'{len(layers)} blocks'
            for kind, other in others.items():
                found = tokens.agreement(layers, tokens.kept_tokens(other, x))
                shares[kind] += found
                said += f', {100 * np.mean(found):.1f} % kept in {kind}, too'
            return said

        return show

    try:
        run(args, prepare)
    finally:
        rows = [
            dict(name=kind, blocks=len(found), kept_too=float(np.mean(found)),
                 least=min(found))
            for kind, found in shares.items() if found
        ]  # fmt: skip
        for row in rows:
            print(
                f'{row["name"]}: of the kept tokens {row["kept_too"]:.2%} are '
                f'kept, too; in the worst of {row["blocks"]} blocks '
                f'{row["least"]:.2%}'
            )
        if args.json and rows:
            provenance.write(args.json, dict(rows=rows))


if __name__ == '__main__':
    main()
