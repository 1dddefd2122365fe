"""Runs the items of a part in a process of its own."""

import argparse
import gc
import os
import signal
import sys
import threading
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
FATAL = ('CUDA error', 'cuDNN error', 'CUBLAS_STATUS', 'device-side assert')
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


def end_with(parent: int) -> None:
    """Ends this process and its children when the report is killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """A part, as the report starts it."""
    # Deterministic mode asks for it before the first product; it is the size
    # that PyTorch chooses on Hopper by itself.
    os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    parser = argparse.ArgumentParser()
    parser.add_argument('part')
    parser.add_argument('--device', required=True)
    parser.add_argument('--small', action='store_true')
    parser.add_argument('--folder', required=True)
    parser.add_argument('--record', required=True)
    parser.add_argument('--share', default='0/1')
    parser.add_argument('--parent', type=int, required=True)
    args = parser.parse_args()
    watch = threading.Thread(target=end_with, args=(args.parent,), daemon=True)
    watch.start()
    place = Place(args.device, args.small, args.folder)
    record = Record(Path(args.record))
    sys.exit(run_part(args.part, place, record, args.share))


if __name__ == '__main__':
    main()
