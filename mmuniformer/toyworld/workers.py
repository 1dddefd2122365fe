"""Spreads work over processes."""

import signal
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

A = TypeVar('A')
B = TypeVar('B')


def _start() -> None:
    """One thread each; an interrupt is the parent's business."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def spread(
    function: Callable[[A], B], items: Iterable[A], workers: int
) -> Generator[B, None, None]:
    """``map`` over processes, results in order.

    Args:
        function: What to do; a picklable function.
        items: What to do it to.
        workers: Number of processes. 1 means this one; with more the calling
            script needs ``if __name__ == '__main__'``, as processes are
            spawned.
    """
    if workers == 1:
        yield from map(function, items)
        return
    pool = ProcessPoolExecutor(workers, get_context('spawn'), _start)
    try:
        yield from pool.map(function, items, chunksize=16)
    finally:
        pool.shutdown(cancel_futures=True)
