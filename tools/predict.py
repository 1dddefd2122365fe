#!/usr/bin/env python3
"""Predicts pictures, videos and clips: tools/predict.py MODEL SOURCE..."""

import contextlib
import os
import sys
import time

import _env  # noqa: F401
from mmengine.logging import MMLogger

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError
from mmuniformer.prediction import Output, options
from mmuniformer.prediction.sources import is_endless


def parse_args():
    """Command line."""
    parser = options.model_parser(
        'Predict with a model of any task. JSON lines go to standard output, '
        'or with pictures to --out DIR.',
        'Exit status: 0; 1 if inputs were skipped; 2 if nothing could be '
        'done.',
    )
    add = parser.add_argument
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
    add('--slide', type=int, metavar='PIXELS', help='segmentation: windows')
    options.add_names(parser)
    options.add_videos(parser, 'a label')
    options.add_people(parser)
    options.add_speed(parser)
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


def run(args):
    """Predicts; how many inputs were skipped."""
    predictor = options.predictor_of(args)
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
