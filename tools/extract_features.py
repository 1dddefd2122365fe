#!/usr/bin/env python3
"""Takes features out of a model: tools/extract_features.py MODEL SOURCE..."""

import re
import sys

import _env  # noqa: F401

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError
from mmuniformer.prediction import feature_files, features, options


def parse_args():
    """Command line."""
    parser = options.model_parser(
        'Write features of pictures, clips or videos, a .npy file for each. '
        'What is there already is not made again.'
    )
    add = parser.add_argument
    add('--out', required=True, metavar='DIR')
    add(
        '--kind',
        choices=features.KINDS,
        default='pooled',
        help='mean of the last map; means of all stages; the last map',
    )
    add('--join', metavar='FILE', help='in the end: .safetensors, .parquet')
    add(
        '--shard',
        default='1/1',
        metavar='I/N',
        help='this is process I of N, each of which takes its share [1/1]',
    )
    options.add_videos(parser, 'a feature')
    options.add_people(parser)
    options.add_speed(parser)
    return parser.parse_args()


def main():
    """Extracts."""
    args = parse_args()
    skipped = done = 0
    try:
        match = re.fullmatch(r'(\d+)/(\d+)', args.shard)
        shard = tuple(map(int, match.groups())) if match else (0, 0)
        if not 1 <= shard[0] <= shard[1]:
            raise UserError(f'--shard={args.shard!r}: wanted I/N, I from 1')
        predictor = options.predictor_of(args)
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
            count = feature_files.join(args.out, args.join)
            print(f'{count} in {args.join}')
    except UserError as error:
        exit_with(error)
    sys.exit(1 if skipped else 0)


if __name__ == '__main__':
    main()
