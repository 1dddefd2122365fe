"""Several batches side by side, and everything in its order."""

import threading
import time

import pytest
import torch

from mmuniformer.prediction.batches import Lanes, Queue
from mmuniformer.prediction.sources import Source
from mmuniformer.prediction.tasks import Job


class Sizes:
    """A task whose inputs are numbers, of two sizes."""

    clips = False

    def key(self, sample):
        return sample % 2

    def record(self, samples):
        return dict(found=samples)


def jobs(count):
    return [
        Job(i, Source(f'{i}.jpg', 'picture', str(i))) for i in range(count)
    ]


def predicted(run, count, lanes):
    found = []
    with Lanes(run, lanes) as many:
        queue = Queue(Sizes(), 3, many)
        for job in jobs(count):
            error = 'damaged' if job.order == 4 else ''
            samples = [] if error else [job.order]
            found += queue.add(job, samples, error)
        found += queue.flush()
    return found


@pytest.mark.parametrize('lanes', [1, 2, 3])
def test_all_come_in_order(lanes):
    def run(samples):
        time.sleep(0.002 * (samples[0] % 3))
        return [10 * sample for sample in samples]

    found = predicted(run, 20, lanes)
    assert [p.job.order for p in found] == list(range(20))
    assert found[4].error == 'damaged' and not found[4].record
    del found[4]
    assert all(p.record == dict(found=[10 * p.job.order]) for p in found)


def test_batches_are_computed_at_the_same_time_but_for_the_first():
    meet, alone = threading.Barrier(2, timeout=20), []

    def run(samples):
        if not alone:
            alone.append(threading.get_ident())
        else:
            meet.wait()  # breaks unless two are here
        return samples

    assert len(predicted(run, 14, 2)) == 14  # 5 batches: 1, 2, 2
    assert alone != [threading.get_ident()]


def test_an_error_of_the_network_is_not_lost():
    def run(samples):
        if 7 in samples:
            raise RuntimeError('of the network')
        return samples

    with pytest.raises(RuntimeError, match='of the network'):
        predicted(run, 16, 2)


def test_threads_of_pytorch_are_shared_out_and_given_back():
    before, seen = torch.get_num_threads(), set()
    try:
        torch.set_num_threads(4)

        def run(samples):
            seen.add(torch.get_num_threads())
            return samples

        predicted(run, 8, 2)
        assert seen == {2} and torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_lanes_inside_of_lanes_give_all_threads_back():
    """As those of a detector, whose end may come before or after."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        outer, inner = (Lanes(list, 2, True, 4) for _ in range(2))
        with inner, outer:
            assert torch.get_num_threads() == 2  # who reads
            assert outer.submit([1]).result() == [1]
        assert torch.get_num_threads() == 4
        inner.__enter__()
        with outer:
            inner.__exit__()
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)
