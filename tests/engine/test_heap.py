"""Workers have little memory of their own."""

import os
import sys

import pytest

from mmuniformer.engine import heap, patience

from . import runs


def private_bytes():
    """Memory of this process that it shares with none."""
    with open('/proc/self/smaps_rollup') as file:
        rows = [line.split() for line in file]
    sizes = {row[0]: row[1] for row in rows}
    return 1024 * int(sizes['Private_Dirty:'])


def answer(question):
    """What a fork says."""
    child = os.fork()
    if child == 0:
        os._exit(0 if question() else 1)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc')
def test_what_a_worker_has_freed_is_not_its_own():
    def small_again():
        first = private_bytes()
        # Too small for a mapping of their own; the last one is kept.
        blocks = [b'x' * 20000 for _ in range(2000)]
        last = blocks.pop()
        blocks.clear()
        held = private_bytes() - first
        heap.give_back()
        left = private_bytes() - first
        return held > 30e6 and left < 10e6 and len(last) == 20000

    assert answer(small_again)


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc')
def test_a_worker_does_not_fill_the_holes_of_its_process():
    blocks = [bytes(600) for _ in range(64000)]
    del blocks[::8]  # a hole per page

    def little():
        own = [bytes(600) for _ in range(8000)]
        return len(own) == 8000 and private_bytes() < 16e6

    with heap.holes_taken():
        assert answer(little)
    assert not answer(little)  # and the holes are free again


def test_a_worker_gives_back_now_and_then(monkeypatch):
    clock, trims = [100.0], []
    monkeypatch.setattr(heap.time, 'monotonic', lambda: clock[0])
    monkeypatch.setattr(heap, 'give_back', lambda: trims.append(clock[0]))
    data = runs.Pictures()
    patience.note_samples(data, [patience.IDLE], 0)
    for clock[0] in (100.0, 100.2, 100.4, 100.6, 101.0, 110.0):
        data[0]
    assert trims == [100.0, 100.6, 110.0]
