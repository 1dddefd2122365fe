"""Random numbers by place, so that a resumed run draws what it would have.

Every sample is augmented with numbers that follow from the seed, the process
and its place (epoch, batch, number in the batch), every step draws those of
its iteration. Nothing depends on how a process came there: on workers and
what they did before, on validations, on an interruption. To go on from any
batch, the batches before it are counted by their indices; no file is read.
"""

import random
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from .bad_data import BadData
from .patience import PatientLoader

# Workers ask for a few batches in advance.
RECENT = 1000


def seed_all(*place: int) -> None:
    """Seeds Python, numpy and torch, devices included, with a few numbers."""
    words = np.random.SeedSequence(place).generate_state(8)
    random.seed(words[:4].tobytes())
    np.random.seed(words[:4])
    torch.manual_seed(int(words[4:6].view(np.uint64)[0] >> np.uint64(1)))


class Place(int):
    """An index of a sample that knows where in the training it is asked.

    Attributes:
        numbers: Seed, process, epoch, batch, number in the batch.
    """

    numbers: tuple[int, ...]


class PlacedBatches:
    """Batches of indices with their places, from any batch on.

    Args:
        batches: A batch sampler.
        seed: Seed of the run.
        rank: Number of this process.

    Attributes:
        recent: Indices of the latest batches by their numbers.
    """

    def __init__(self, batches: Any, seed: int, rank: int) -> None:
        self.batches = batches
        self.seed = seed
        self.rank = rank
        self.epoch = 0
        self.first = 0
        self.recent: dict[int, list[int]] = {}

    def __getattr__(self, name: str) -> Any:
        if name == 'batches':  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.batches, name)

    def __len__(self) -> int:
        return len(self.batches)

    def go_to(self, epoch: int, first: int = 0) -> None:
        """Has the next iteration start at batch ``first`` of an epoch."""
        self.epoch = epoch
        self.first = first

    def __iter__(self) -> Iterator[list[Place]]:
        first, self.first = self.first, 0
        epoch = self.epoch
        self.epoch += 1  # unless a loop says better
        for number, batch in enumerate(self.batches):
            if number >= first:
                self.recent[number] = list(batch)
                self.recent.pop(number - RECENT, None)
                yield self.place(batch, epoch, number)

    def place(self, batch: Any, epoch: int, number: int) -> list[Place]:
        """The indices of a batch with their places."""
        places = []
        for i, index in enumerate(batch):
            place = Place(index)
            place.numbers = self.seed, self.rank, epoch, number, i
            places.append(place)
        return places


class PlacedLoader(PatientLoader):
    """A data loader whose batches have their places."""


def place_loader(
    loader: DataLoader, seed: int, rank: int, bad_data: BadData
) -> None:
    """Has the loader of a training draw by place, in place.

    Args:
        loader: A patient one, not iterated yet.
        seed: Seed of the run.
        rank: Number of this process.
        bad_data: What happens to samples that cannot be read.
    """
    if isinstance(loader.dataset, IterableDataset):
        return  # has no indices
    batches = PlacedBatches(loader.batch_sampler, seed, rank)
    loader.__class__ = PlacedLoader
    # Which a loader does not let be changed, for it may be running.
    object.__setattr__(loader, 'batch_sampler', batches)
    if loader.num_workers:
        start = loader.worker_init_fn
        loader.worker_init_fn = partial(_start, start, bad_data)
    else:
        place_dataset(loader.dataset, bad_data)


def _start(start: Any, bad_data: BadData, worker: int) -> None:
    """Begins a worker process."""
    if start is not None:
        start(worker)
    place_dataset(cast(Any, get_worker_info()).dataset, bad_data)


def place_dataset(dataset: Any, bad_data: BadData) -> None:
    """Has a data set seed each sample by its place, in place.

    Only what a loader asks for is seeded; samples that a data set mixes into
    another one draw on with its numbers.
    """
    kind = type(dataset)
    own = dict(
        __getitem__=_seeded,
        __getitems__=None,  # all samples by the method above
        _ask=kind.__getitem__,
        _bad_data=bad_data,
        __module__=kind.__module__,
    )
    try:
        dataset.__class__ = type(kind.__name__, (kind,), own)
    except TypeError:
        pass  # a list, which draws nothing


def _seeded(self: Any, index: int) -> Any:
    if not isinstance(index, Place):
        return self._ask(index)
    seed_all(*index.numbers)
    return self._bad_data.ask(self, self._ask, index)
