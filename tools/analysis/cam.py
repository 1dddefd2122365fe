#!/usr/bin/env python3
"""Shows where a model has looked: tools/analysis/cam.py MODEL SOURCE..."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import cv2
import numpy as np

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Grad-CAM of classifiers, recognisers, segmentors and '
        'pose models, light ones included.'
    )
    add = parser.add_argument
    add('model', help='as of tools/predict.py')
    add('sources', nargs='+', metavar='SOURCE', help='as of predict.py')
    add('--checkpoint', metavar='FILE')
    add('--out', default='cam', metavar='DIR', help='[cam]')
    add('--layer', default='blocks2', help='of the backbone [blocks2]')
    add('--target', help='class or key point [the best one]')
    add('--device')
    return parser.parse_args()


def main():
    """Draws."""
    args = parse_args()
    from mmuniformer.analysis.cam import Cam, overlay
    from mmuniformer.prediction import Predictor
    from mmuniformer.prediction.models import find

    skipped = 0
    try:
        pose = find(args.model, args.checkpoint).cfg.default_scope == 'mmpose'
        predictor = Predictor(
            args.model,
            args.checkpoint,
            device=args.device,
            fuse=False,
            half=False,
            whole_image=pose,
        )
        cam = Cam(predictor, args.layer)
        target = cam.number(args.target) if args.target else None
        out = Path(args.out)
        for number, job in enumerate(
            predictor.jobs(predictor.found(args.sources))
        ):
            path = job.source.path
            try:
                if job.source.error:
                    raise UserError(job.source.error)
                heat, picture, best = cam(job, target)
            except (UserError, OSError) as error:
                skipped += 1
                print(f'skipped {path}: {error}', file=sys.stderr)
                continue
            out.mkdir(parents=True, exist_ok=True)
            name = f'{number:04}_{Path(path).stem}'
            cv2.imwrite(str(out / f'{name}.png'), overlay(heat, picture))
            np.save(out / f'{name}.npy', heat)
            print(f'{path}: {predictor.task.name(best)}, {out / name}.png')
    except UserError as error:
        exit_with(error)
    sys.exit(1 if skipped else 0)


if __name__ == '__main__':
    main()
