#!/usr/bin/env python3
"""Shows where a model has looked: tools/analysis/cam.py MODEL SOURCE..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import numpy as np
from _looking import looking_parser, run

from mmuniformer.analysis import cam, views


def parse_args():
    """Command line."""
    parser = looking_parser(
        'Grad-CAM (by default HiResCAM) of models of any task, light ones '
        'included: of a class, of a box (detectors) or of a key point.',
        'cam',
    )
    add = parser.add_argument
    add('--layer', default='blocks2', help='of the backbone [blocks2]')
    add('--target', help='class or key point [the best one]')
    add(
        '--box',
        nargs=4,
        type=float,
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='detectors: in pixels of the picture [the surest object]',
    )
    add(
        '--method',
        default='hirescam',
        help='hirescam, gradcam, or another one of the package grad-cam, e.g. '
        'layercam [hirescam]',
    )
    return parser.parse_args()


def main():
    """Draws."""
    args = parse_args()

    def prepare(predictor):
        looker = cam.Cam(predictor, args.layer, args.method)
        target = looker.number(args.target) if args.target else None

        def show(job, path):
            heat, picture, best = looker(job, target, args.box)
            views.write(path, {'': views.overlay(heat, picture)})
            np.save(f'{path}.npy', heat)
            return looker.name(best)

        return show

    run(args, prepare)


if __name__ == '__main__':
    main()
