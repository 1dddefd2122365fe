"""Batches of inputs of one size, computed side by side, given in order."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

from .sources import Source
from .tasks import Job, Task

# Batches whose inputs wait for others of the same size.
WAITING = 4


@dataclass
class Prediction:
    """What a model says of one picture, frame or clip.

    Attributes:
        job: What was predicted.
        samples: The host's data samples; of pose, one per person.
        record: Plain values, see docs/predict.md.
        error: Why there is nothing, or ''.
        inputs: What the network was given; kept of clips alone.
    """

    job: Job
    samples: list[Any] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    error: str = ''
    inputs: Any = None

    @property
    def source(self) -> Source:
        """Where it comes from."""
        return self.job.source


class Lanes:
    """Threads that compute batches, side by side.

    Many operators of a small batch are too short for several cores, and
    what hosts do picture by picture is Python. So the threads of PyTorch are
    shared out to several batches, not put behind each other's operators.

    Args:
        run: The network.
        count: Threads; 1 computes in the thread that asks.
        warm: Whether they have computed before. What is measured or packed
            once, is so by the first batch, alone.
        threads: Threads of PyTorch to share out; by default all.
    """

    def __init__(
        self,
        run: Callable[[list[Any]], list[Any]],
        count: int,
        warm: bool = False,
        threads: int | None = None,
    ) -> None:
        self.run, self.count, self.warm = run, count, warm
        self.share = max((threads or torch.get_num_threads()) // count, 1)
        self.before = 0
        self.pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> 'Lanes':
        if self.count > 1:
            self.pool = ThreadPoolExecutor(
                self.count,
                'predict',
                torch.set_num_threads,
                (self.share,),
            )
            # Who reads, too: threads that wait for more of its work would
            # keep a core for a while.
            self.before = torch.get_num_threads()
            torch.set_num_threads(self.share)
        return self

    def __exit__(self, *_: Any) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)
            # Those of a detector may have ended, or not, and set more.
            now = torch.get_num_threads()
            torch.set_num_threads(max(self.before, now))

    def submit(self, samples: list[Any]) -> 'Future[list[Any]]':
        """What there will be of a batch."""
        if self.pool is None:
            done: Future[list[Any]] = Future()
            done.set_result(self.run(samples))
            return done
        future = self.pool.submit(self.run, samples)
        if not self.warm:
            future.result()
            self.warm = True
        return future


class Queue:
    """Collects inputs into batches; gives predictions back in order.

    Args:
        task: Says which inputs fit together.
        size: Inputs of a batch.
        lanes: Who computes.
    """

    def __init__(self, task: Task, size: int, lanes: Lanes) -> None:
        self.task, self.size, self.lanes = task, size, lanes
        self.running: deque[tuple[list[Any], Future[list[Any]]]] = deque()
        self.entries: dict[int, Prediction] = {}
        self.left: dict[int, int] = {}
        self.waiting: dict[Any, list[tuple[int, int, Any]]] = {}

    def add(
        self, job: Job, samples: list[Any], error: str
    ) -> Iterator[Prediction]:
        """Takes what was read of a job; gives what is done by then."""
        entry, index = Prediction(job, error=error), job.order
        entry.samples = [None] * len(samples)
        if self.task.clips and samples:
            entry.inputs = samples[0]['inputs']
        self.entries[index] = entry
        self.left[index] = len(samples)
        for place, sample in enumerate(samples):
            key = self.task.key(sample)
            bucket = self.waiting.setdefault(key, [])
            bucket.append((index, place, sample))
            if len(bucket) == self.size:
                self.forward(key)
        while sum(map(len, self.waiting.values())) > WAITING * self.size:
            self.forward(self.oldest())
        yield from self.done()

    def flush(self) -> Iterator[Prediction]:
        """Predicts what still waits."""
        while self.waiting:
            self.forward(self.oldest())
            yield from self.done()
        while self.running:
            self.collect()
            yield from self.done()
        yield from self.done()

    def oldest(self) -> Any:
        """The batch that holds up the others."""
        return min(self.waiting, key=lambda key: self.waiting[key][0][0])

    def forward(self, key: Any) -> None:
        """Has a batch computed, no more of them at a time than lanes."""
        bucket = self.waiting.pop(key)
        future = self.lanes.submit([sample for *_, sample in bucket])
        self.running.append(([(i, place) for i, place, _ in bucket], future))
        while len(self.running) > self.lanes.count:
            self.collect()

    def collect(self) -> None:
        """Waits for the batch that was asked for first."""
        places, future = self.running.popleft()
        for (index, place), output in zip(places, future.result()):
            self.entries[index].samples[place] = output
            self.left[index] -= 1

    def done(self) -> Iterator[Prediction]:
        """Predictions that are complete and that no earlier one holds up."""
        while self.running and self.running[0][1].done():
            self.collect()
        while self.entries:
            index = next(iter(self.entries))
            if self.left[index]:
                return
            del self.left[index]
            entry = self.entries.pop(index)
            if not entry.error:
                entry.record = self.task.record(entry.samples)
            yield entry
