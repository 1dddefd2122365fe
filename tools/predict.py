#!/usr/bin/env python3
"""Predicts pictures, videos and clips: tools/predict.py MODEL SOURCE..."""

import argparse
import contextlib
import os
import sys
import time

import _env  # noqa: F401
from mmengine.config import DictAction
from mmengine.logging import MMLogger

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Predict with a model of any task. JSON lines go to '
        'standard output, or with pictures to --out DIR.',
        epilog='Exit status: 0; 1 if inputs were skipped; 2 if nothing could '
        'be done.',
    )
    add = parser.add_argument
    add(
        'model',
        help='config (with --checkpoint), work dir, checkpoint of a training '
        'run, or name of a published file',
    )
    add(
        'sources',
        nargs='+',
        metavar='SOURCE',
        help="files, folders, patterns, lists (.txt), videos, '0' for a "
        "camera, '-' for a list on standard input",
    )
    add('--checkpoint', metavar='FILE', help='weights of the whole model')
    add('--out', metavar='DIR', help='JSON lines, pictures, videos go there')
    add('--no-draw', action='store_true', help='no pictures, no videos')
    add(
        '--score',
        type=float,
        default=0.3,
        help='what is drawn has at least this score [0.3]',
    )
    add('--top-k', type=int, help='report so many classes [5] or objects')
    add(
        '--classes',
        nargs='+',
        metavar='NAME',
        help='detection, segmentation: report only these',
    )
    add(
        '--class-names',
        metavar='FILE',
        help='a class per line, where the weights know no names',
    )
    add(
        '--stride',
        type=int,
        default=1,
        help='of a video every so many frames [1]',
    )
    add(
        '--every',
        type=float,
        default=0,
        metavar='SECONDS',
        help='recognisers: a label for each period of a video',
    )
    add('--slide', type=int, metavar='PIXELS', help='segmentation: windows')
    people = parser.add_mutually_exclusive_group()
    people.add_argument('--boxes', metavar='FILE', help='pose: people')
    people.add_argument(
        '--whole-image', action='store_true', help='pose: one person each'
    )
    people.add_argument(
        '--detector', metavar='CONFIG:CHECKPOINT', help='pose: finds people'
    )
    add(
        '--box-score',
        type=float,
        default=0.3,
        help='least score of people of --detector [0.3]',
    )
    add('--device', help='cpu, cuda, cuda:1, ... [what there is]')
    add('--batch', type=int, default=8, help='inputs at a time [8]')
    add('--workers', type=int, help='processes that read [up to 4]')
    add(
        '--half',
        action=argparse.BooleanOptionalAction,
        help='half precision [as the config tests]',
    )
    add(
        '--fuse',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='fold norms into the weights: faster, same results [yes]',
    )
    add('--compile', action='store_true', help='compile the backbone')
    add(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change values of the config',
    )
    return parser.parse_args()


class Progress:
    """Counts on standard error, with the time that is left.

    Args:
        total: How many there are, or None.
    """

    def __init__(self, total):
        self.total = total
        self.start = self.shown = time.monotonic()
        self.done = 0
        self.live = sys.stderr.isatty()

    def update(self):
        """One more is done."""
        self.done += 1
        now = time.monotonic()
        if self.live and now - self.shown > 0.2:
            self.shown = now
            print(f'\r{self.text(now)}\033[K', end='', file=sys.stderr)

    def text(self, now):
        """How far, how fast, how long still."""
        seconds = max(now - self.start, 1e-9)
        speed = self.done / seconds
        text = f'{self.done} done, {speed:.1f} per second'
        if self.total and self.done < self.total:
            left = int((self.total - self.done) / speed)
            return f'{text}, {self.total} in all, {left} s left'
        return f'{text}, {seconds:.0f} s'

    def say(self, line):
        """Says something above the count."""
        end = '\r\033[K' if self.live else ''
        print(f'{end}{line}', file=sys.stderr)

    def close(self, skipped):
        """The last line."""
        self.total = None
        end = f', {skipped} skipped' if skipped else ''
        self.say(self.text(time.monotonic()) + end)


def log_to_stderr():
    """Standard output is for results."""
    logger = MMLogger.get_instance('mmuniformer')
    for handler in logger.handlers:
        handler.setStream(sys.stderr)


def predictor_of(args):
    """The model, with all options."""
    from mmuniformer.prediction import Predictor

    names = None
    if args.class_names:
        try:
            with open(args.class_names, encoding='utf-8') as file:
                names = file.read().splitlines()
        except OSError as error:
            raise UserError(f'--class-names: {error}') from error
    return Predictor(
        args.model,
        args.checkpoint,
        device=args.device,
        batch=args.batch,
        workers=args.workers,
        half=args.half,
        fuse=args.fuse,
        compile=args.compile,
        top_k=args.top_k,
        classes=args.classes,
        class_names=names,
        every=args.every,
        stride=args.stride,
        boxes=args.boxes,
        detector=args.detector,
        whole_image=args.whole_image,
        box_score=args.box_score,
        slide=args.slide,
        cfg_options=args.cfg_options,
    )


def run(args):
    """Predicts; how many inputs were skipped."""
    from mmuniformer.prediction import Output
    from mmuniformer.prediction.sources import is_endless

    predictor = predictor_of(args)
    sources = predictor.found(args.sources)
    total = None
    if not is_endless(args.sources):
        sources = list(sources)
        total = predictor.count(sources)
    skipped = 0
    progress = Progress(total)
    output = Output(
        predictor, args.out, not args.no_draw, args.score, sys.stdout
    )
    with output:
        for prediction in predictor.stream(sources):
            output.write(prediction)
            if prediction.error:
                skipped += 1
                path = prediction.source.path
                progress.say(f'skipped {path}: {prediction.error}')
            else:
                progress.update()
    progress.close(skipped)
    return skipped


def main():
    """Predicts, and says by its exit status how it went."""
    args = parse_args()
    log_to_stderr()
    try:
        skipped = run(args)
    except UserError as error:
        exit_with(error)
    except KeyboardInterrupt:  # what was done is written
        sys.exit(130)
    except BrokenPipeError:  # who reads has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(1 if skipped else 0)


if __name__ == '__main__':
    main()
