"""The memory that glibc manages; elsewhere nothing is done."""

import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from mmengine.device import get_device

# <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# Between two times that a worker gives memory back.
TRIM_SECONDS = 0.5
# What a process takes before it forks: sizes and number of the blocks.
FIRST_BYTES, LAST_BYTES, MOST_BLOCKS = 1 << 20, 24, 200_000


class _Info(ctypes.Structure):
    """``struct mallinfo``; numbers above 4 GiB lose their upper half."""

    _fields_ = [
        (name, ctypes.c_uint)
        for name in (
            'arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks',
            'fsmblks', 'uordblks', 'fordblks', 'keepcost',
        )
    ]  # fmt: skip


@cache
def _glibc() -> Any:
    """The C library, or None if it is no glibc."""
    if sys.platform != 'linux':
        return None
    libc = ctypes.CDLL(None)
    if not hasattr(libc, 'malloc_trim'):
        return None
    libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.sbrk.argtypes = [ctypes.c_ssize_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.mallinfo.restype = _Info
    return libc


def keep_freed_memory() -> None:
    """Has a process on a CPU reuse memory in place of giving it back.

    glibc returns large tensors to Linux when they are freed; to get the next
    one costs a page fault for every 4 KiB of it, a good part of the time of
    a training step or of an inference.
    """
    libc = _glibc()
    if libc is not None and get_device() == 'cpu':
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def give_back() -> None:
    """Gives memory that is free back to Linux."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@contextmanager
def holes_taken() -> Iterator[None]:
    """Has processes that are forked meanwhile begin with no free memory.

    What is free lies in pages beside objects of this process. A fork shares
    them until it writes there; then each page is a copy of its own. Here
    everything that is free is taken, about 10 ms, and freed at the end.
    """
    blocks = _take()
    try:
        yield
    finally:
        for block in blocks:
            _glibc().free(block)


def _take() -> list[int]:
    """Takes the free blocks below the end of the heap, the largest first."""
    libc = _glibc()
    if libc is None:
        return []
    end = libc.sbrk(0) - libc.mallinfo().keepcost
    blocks: list[int] = []
    size = FIRST_BYTES
    while size >= LAST_BYTES and len(blocks) < MOST_BLOCKS:
        block = libc.malloc(size)
        if block is not None and block < end:
            blocks.append(block)
            continue
        libc.free(block)  # from behind the end: no such block is free
        size = size * 3 // 4 if size > 2048 else size - 16
    return blocks


class Trimmer:
    """Gives free memory of a worker back every few seconds."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self) -> None:
        """Does so if it is time."""
        now = time.monotonic()
        if now - self.last >= TRIM_SECONDS:
            give_back()
            self.last = now
