"""Inputs prepared for the network, in processes where that is sooner."""

import os
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from torch.utils.data import DataLoader, Dataset

from .tasks import Job, Task

# Seconds from which reading an input is left to processes, where the only
# two cores compute: a photograph of some megapixels takes as long.
SLOW = 0.05
PROCESSES = 4

Read = tuple[Job, list[Any], str]  # its samples, and what is wrong with it


class Reader(Dataset):
    """Prepares jobs, in processes of the loader; damage becomes a message."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __getitem__(self, job: Job) -> tuple[int, list[Any], str]:
        """Index of the job, its samples, and what is wrong with it."""
        try:
            if job.source.error:
                return job.order, [], job.source.error
            return job.order, self.task.prepare(job), ''
        except MemoryError:
            raise
        except Exception as error:  # whatever a decoder raises
            lines = str(error).strip().splitlines() or [type(error).__name__]
            path = job.source.path
            line = ' '.join(lines[0].split())
            line = line.removeprefix(f'image {path!r} cannot be read: ')
            return job.order, [], line


def start(
    task: Task, jobs: Iterable[Job], workers: int | None
) -> tuple[bool, Iterator[Read]]:
    """Starts to read jobs; its processes are there when it returns.

    Args:
        task: Prepares them.
        jobs: In their order.
        workers: Processes; None: several if the second input, which is read
            here as the first one is, takes long.

    Returns:
        Whether there is more than one job, and what was read, in order.
    """
    reader, jobs = Reader(task), iter(jobs)
    first: list[Read] = []
    for job in islice(jobs, 2):
        begin = time.monotonic()
        first.append((job, *reader[job][1:]))
    several = len(first) > 1
    if workers is None:
        slow = several and time.monotonic() - begin > SLOW
        workers = default_workers() if slow else 0
    given: dict[int, Job] = {}

    def taken() -> Iterator[Job]:
        for job in jobs:
            given[job.order] = job
            yield job

    loader = DataLoader(
        reader,
        batch_size=None,
        sampler=taken(),  # type: ignore[arg-type]
        num_workers=workers if several else 0,
        worker_init_fn=_init_worker,
        collate_fn=_as_it_is,
    )
    rest = iter(loader)  # starts the processes
    return several, chain(
        first,
        ((given.pop(index), samples, error) for index, samples, error in rest),
    )


def default_workers() -> int:
    """Processes that read: one per core, at most four."""
    return min(PROCESSES, len(os.sched_getaffinity(0)))


def _as_it_is(loaded: Any) -> Any:
    return loaded


def _init_worker(_: int) -> None:
    import cv2

    cv2.setNumThreads(0)
