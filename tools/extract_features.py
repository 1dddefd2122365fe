#!/usr/bin/env python3
"""Takes features out of a model: tools/extract_features.py MODEL SOURCE..."""

import argparse
import re
import sys

import _env  # noqa: F401

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Write features of pictures, clips or videos, a .npy '
        'file for each. What is there already is not made again.'
    )
    add = parser.add_argument
    add('model', help='as of tools/predict.py')
    add('sources', nargs='+', metavar='SOURCE', help='as of predict.py')
    add('--checkpoint', metavar='FILE')
    add('--out', required=True, metavar='DIR')
    add(
        '--kind',
        choices=('pooled', 'stages', 'tokens'),
        default='pooled',
        help='mean of the last map; means of all stages; the last map',
    )
    add('--join', metavar='FILE', help='in the end: .safetensors, .parquet')
    add(
        '--every',
        type=float,
        default=0,
        metavar='SECONDS',
        help='recognisers: a feature for each period of a video',
    )
    add('--stride', type=int, default=1, help='of a video so many frames')
    add(
        '--shard',
        default='1/1',
        metavar='I/N',
        help='this is process I of N, each of which takes its share [1/1]',
    )
    add('--whole-image', action='store_true', help='of models of pose')
    add('--batch', type=int, default=8)
    add('--workers', type=int)
    add('--device')
    return parser.parse_args()


def main():
    """Extracts."""
    args = parse_args()
    from mmuniformer.prediction import Predictor, features

    skipped = done = 0
    try:
        match = re.fullmatch(r'(\d+)/(\d+)', args.shard)
        shard = tuple(map(int, match.groups())) if match else (0, 0)
        if not 1 <= shard[0] <= shard[1]:
            raise UserError(f'--shard={args.shard!r}: wanted I/N, I from 1')
        predictor = Predictor(
            args.model,
            args.checkpoint,
            device=args.device,
            batch=args.batch,
            workers=args.workers,
            every=args.every,
            stride=args.stride,
            whole_image=args.whole_image,
        )
        extractor = features.Extractor(predictor, args.kind)
        sources = list(predictor.found(args.sources))
        place = shard[0] - 1, shard[1]
        for source, error in extractor.run(sources, args.out, place):
            if error:
                skipped += 1
                print(f'skipped {source.path}: {error}', file=sys.stderr)
            else:
                done += 1
        print(f'{done} files in {args.out}/, {skipped} skipped')
        if args.join:
            print(f'{features.join(args.out, args.join)} in {args.join}')
    except UserError as error:
        exit_with(error)
    sys.exit(1 if skipped else 0)


if __name__ == '__main__':
    main()
