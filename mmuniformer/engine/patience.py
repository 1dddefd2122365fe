"""Workers that load data and do not answer are named, and end the run.

PyTorch waits for a batch for ever, unless a loader has a ``timeout``, which
ends slow and stuck workers alike, without a name. Here a worker notes that it
has begun and which sample it reads; the process looks at that while it waits.
"""

import logging
import math
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any, cast

import torch.distributed as dist
from mmengine.dist import get_rank
from mmengine.logging import print_log
from torch.utils.data import DataLoader, get_worker_info

from ..errors import LocalUserError
from .bad_data import file_of
from .heap import Trimmer, holes_taken
from .workers import prepare_worker

# Of a config that has no `timeout`: longer than any sample takes that is read.
LIMIT_SECONDS = 600.0
# After so long it is said who is waited for.
WORD_SECONDS = 30.0
# A fork begins at once, however busy the machine is.
BEGIN_SECONDS = 60.0
# What foreign threads need to take the GIL and to give it back.
SETTLE_SECONDS = 0.02
NOT_BEGUN, IDLE = -2, -1
TIMED_OUT = 'DataLoader timed out after'


class PatientLoader(DataLoader):
    """A data loader that does not wait for its workers for ever.

    It starts them when the first batch is asked.

    Attributes:
        name: Of its part of the config.
        limit: Seconds that it waits for a batch.
        notes: The sample that each worker reads, ``IDLE`` or ``NOT_BEGUN``.
    """

    name: str
    limit: float
    notes: Any
    _begun = False

    def __iter__(self) -> Any:
        return self._batches()

    def _batches(self) -> Iterator[Any]:
        if not self.num_workers:
            yield from super().__iter__()
            return
        starts = not (self._begun and self.persistent_workers)
        if starts:
            self.notes[:] = [NOT_BEGUN] * self.num_workers
            self._begun = True
        with holes_taken() if starts and self._forks() else nullcontext():
            batches = super().__iter__()
        while True:
            try:
                batch = self._next(batches)
            except StopIteration:
                return
            yield batch

    def _next(self, batches: Iterator[Any]) -> Any:
        waited = 0.0
        while True:
            try:
                return next(batches)
            except RuntimeError as error:
                if not str(error).startswith(TIMED_OUT):
                    raise
                # No clock: the process may have been halted for a while.
                waited += self.timeout
                self._judge(waited)

    def _forks(self) -> bool:
        context = self.multiprocessing_context or multiprocessing
        return cast(Any, context).get_start_method() == 'fork'

    def _judge(self, waited: float) -> None:
        """Says who is waited for, once, and ends when it was too long."""
        text = f'{self.name}: no batch for {waited:.0f} s'
        late = [i for i, note in enumerate(self.notes) if note == NOT_BEGUN]
        if late and self._forks() and waited >= BEGIN_SECONDS:
            raise LocalUserError(
                f'{text}, as worker {_few(late)} of {self.num_workers} has '
                f'not begun: it is stuck in its fork; --resume auto goes on '
                f'from the last checkpoint, {self.name}.num_workers=0 needs '
                f'no worker'
            )
        text = f'{text}; {self._who()}'
        if waited >= self.limit:
            raise LocalUserError(
                f'{text}; wanted one in {self.name}.timeout={self.limit:g} '
                f'seconds. If it is slow and not stuck, set a larger one; '
                f'--resume auto goes on from the last checkpoint'
            )
        if waited == self.timeout:
            level = logging.ERROR if get_rank() else logging.WARNING
            print_log(text, logger='current', level=level)

    def _who(self) -> str:
        reads = [
            f'worker {i} reads {file_of(self.dataset, note)}'
            for i, note in enumerate(self.notes)
            if note >= 0
        ]
        more = f' and {len(reads) - 3} more' * (len(reads) > 3)
        return ', '.join(reads[:3]) + more or 'no worker reads a sample'


def make_patient(loader: DataLoader, name: str) -> None:
    """Has a loader look after its workers, in place.

    Args:
        loader: As built by mmengine, not iterated yet. Its ``timeout`` is the
            time that it waits for a batch; without one it is 600 s.
        name: Of its part of the config.
    """
    own = cast(PatientLoader, loader)
    own.__class__ = PatientLoader
    own.name = name
    if loader.num_workers:
        own.limit = limit = loader.timeout or LIMIT_SECONDS
        # The time between two looks: a whole part of the limit.
        loader.timeout = limit / math.ceil(min(limit, 1e9) / WORD_SECONDS)
        own.notes = multiprocessing.RawArray('q', loader.num_workers)
        start = loader.worker_init_fn
        loader.worker_init_fn = partial(_begin, start, own.notes)


def _begin(start: Any, notes: Any, worker: int) -> None:
    """Begins a worker process."""
    notes[worker] = IDLE
    if start is not None:
        start(worker)
    prepare_worker()
    note_samples(cast(Any, get_worker_info()).dataset, notes, worker)


def note_samples(dataset: Any, notes: Any, worker: int) -> None:
    """Has a data set note which sample it is asked for, in place."""
    kind = type(dataset)
    ask = getattr(kind, '__getitem__', None)
    if ask is None:
        return  # an IterableDataset
    trim = Trimmer()

    def noted(self: Any, index: Any) -> Any:
        notes[worker] = int(index) if isinstance(index, int) else IDLE
        try:
            return ask(self, index)
        finally:
            notes[worker] = IDLE
            trim()

    own = dict(__getitem__=noted, __module__=kind.__module__)
    try:
        dataset.__class__ = type(kind.__name__, (kind,), own)
    except TypeError:
        pass  # a list, which reads nothing


def settle() -> None:
    """Lets foreign threads finish with Python before a fork.

    Threads of gloo and NCCL take the GIL to free tensors. In Python before
    3.12 a fork at that moment copies a lock of the interpreter that nobody
    will open, and the child never begins
    (https://github.com/python/cpython/issues/112275).
    """
    if dist.is_available() and dist.is_initialized():
        time.sleep(SETTLE_SECONDS)


def _few(numbers: list[int]) -> str:
    text = ' '.join(map(str, numbers[:8]))
    return f'{text} and {len(numbers) - 8} more' * (len(numbers) > 8) or text
