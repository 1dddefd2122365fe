"""Runs the items of a part in a process of its own."""

import argparse
import gc
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

import torch

from .items import Item, LeftOutError, Place, Record, clean

# In the order of the report; a module here for each.
PARTS = (
    'correct', 'recipes', 'speed', 'suspects', 'operators', 'compiled',
)  # fmt: skip
# Nothing may run beside them.
TIMED = ('speed', 'suspects', 'operators', 'compiled')
# What leaves a GPU unusable for the rest of a process.
FATAL = ('CUDA error', 'cuDNN error', 'CUBLAS', 'device-side assert')
BROKEN = 7


def items_of(part: str, place: Place) -> list[Item]:
    """The items of a part, the most important first."""
    return import_module(f'{__package__}.{part}').items(place)


def run_part(part: str, place: Place, record: Record, share: str) -> int:
    """Runs what is not answered yet; the exit status.

    Args:
        part: One of ``PARTS``, or 'warm'.
        place: Where to run.
        record: Gets a line before and after each item.
        share: 'i/n': every n-th item from the i-th on.
    """
    first, step = map(int, share.split('/'))
    done = record.answers()
    for item in items_of(part, place)[first::step]:
        if item.name in done:
            continue
        limit = item.seconds * (20 if place.small else 1)  # a CPU, shared
        record.write(item.name, begun=True, limit=limit)
        print(f'{part}: {item.name}', file=sys.stderr, flush=True)
        start = time.perf_counter()
        try:
            answer = dict(result=clean(item.run(place)))
        except LeftOutError as reason:
            answer = dict(left_out=str(reason))
        except Exception as error:
            traceback.print_exc()
            text = ' '.join(str(error).split())[:600]
            answer = dict(error=f'{type(error).__name__}: {text}')
        seconds = time.perf_counter() - start
        record.write(item.name, seconds=round(seconds, 2), **answer)
        if any(word in answer.get('error', '') for word in FATAL):
            return BROKEN
        torch._dynamo.reset()  # it compiles eight models and no more
        gc.collect()
        if place.device == 'cuda':
            torch.cuda.empty_cache()
    record.close()
    return 0


def main() -> None:
    """A part, as the report starts it."""
    parser = argparse.ArgumentParser()
    parser.add_argument('part')
    parser.add_argument('--device', required=True)
    parser.add_argument('--small', action='store_true')
    parser.add_argument('--folder', required=True)
    parser.add_argument('--record', required=True)
    parser.add_argument('--share', default='0/1')
    args = parser.parse_args()
    place = Place(args.device, args.small, args.folder)
    record = Record(Path(args.record))
    sys.exit(run_part(args.part, place, record, args.share))


if __name__ == '__main__':
    main()
