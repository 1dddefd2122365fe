"""Workers give free memory back."""

import os
import sys

import pytest

from mmuniformer.engine import patience, workers

from . import runs


def private_bytes():
    """Memory of this process that it shares with none."""
    with open('/proc/self/smaps_rollup') as file:
        rows = [line.split() for line in file]
    sizes = {row[0]: row[1] for row in rows}
    return 1024 * int(sizes['Private_Dirty:'])


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc')
def test_what_a_worker_has_freed_is_not_its_own():
    child = os.fork()
    if child == 0:
        first = private_bytes()
        # Too small for a mapping of their own; the last one is kept.
        blocks = [b'x' * 20000 for _ in range(2000)]
        last = blocks.pop()
        blocks.clear()
        held = private_bytes() - first
        workers.give_back()
        left = private_bytes() - first
        good = held > 30e6 and left < 10e6 and len(last) == 20000
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_worker_gives_back_now_and_then(monkeypatch):
    clock, trims = [100.0], []
    monkeypatch.setattr(workers.time, 'monotonic', lambda: clock[0])
    monkeypatch.setattr(workers, 'give_back', lambda: trims.append(clock[0]))
    data = runs.Pictures()
    patience.note_samples(data, [patience.IDLE], 0)
    for clock[0] in (100.0, 100.5, 101.9, 102.1, 103.0, 110.0):
        data[0]
    assert trims == [100.0, 102.1, 110.0]
