"""Features of pictures, clips and videos, the same bytes at every run.

Inputs are computed in groups that depend on their order alone. So what was
interrupted goes on group by group, and gives the files of one run.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from ..errors import UserError
from ..weights.load import find_backbone
from . import reading
from .feature_files import Rows, target
from .predictor import Predictor
from .sources import Source
from .tasks import Job

KINDS = ('pooled', 'stages', 'tokens')


class Extractor:
    """Takes features out of a model.

    Args:
        predictor: The model and what prepares its inputs.
        kind: 'pooled' is the mean of the last map, (C,); 'stages' the means
            of all four stages, one behind the other; 'tokens' the last map,
            (N, C).

    Raises:
        UserError: There is no such kind.
    """

    def __init__(self, predictor: Predictor, kind: str = 'pooled') -> None:
        if kind not in KINDS:
            raise UserError(f'kind={kind!r}: wanted one of {", ".join(KINDS)}')
        self.predictor = predictor
        self.kind = kind
        self.moving = bool(predictor.every)
        self.backbone: Any = find_backbone(predictor.model)[1]

    def compute(self, samples: list[Any]) -> list[np.ndarray]:
        """Features of prepared inputs of one size; views are averaged."""
        model = self.predictor.model
        stages: list[Tensor] = []
        with torch.no_grad(), self.predictor.half(), ExitStack() as hooks:
            data = model.data_preprocessor(pseudo_collate(samples), False)
            x = data['inputs']
            views = x.shape[1] if x.ndim == self.backbone.ndim + 3 else 1
            x = x.flatten(0, 1) if x.ndim == self.backbone.ndim + 3 else x
            if self.kind == 'stages':
                for k in (1, 2, 3, 4):
                    stage = getattr(self.backbone, f'blocks{k}')
                    hook = stage.register_forward_hook(
                        # At once: what follows may change it in place.
                        lambda *args: stages.append(pool(args[2]))
                    )
                    hooks.callback(hook.remove)
            out = self.backbone(x)
        if self.kind == 'stages':
            found = torch.cat(stages, 1)
        elif self.kind == 'pooled':
            found = pool(out)
        else:
            found = last_map(out).flatten(2).transpose(1, 2).float()
        found = found.unflatten(0, (-1, views)).mean(1)
        return list(found.cpu().numpy())

    def run(
        self, sources: Iterable[Source], folder: str, shard: tuple[int, int]
    ) -> Iterator[tuple[Source, str]]:
        """Writes a ``.npy`` file per source.

        Args:
            sources: Inputs, in an order that is the same at every run.
            folder: Where to; what is there already is not made again.
            shard: Number of this process, from 0, and of all of them.

        Yields:
            Sources with an error, or '' of those that are there now.
        """
        wanted: list[list[Source]] = []
        for number, group in enumerate(self.groups(sources)):
            if number % shard[1] != shard[0]:
                continue
            if all(target(folder, s).is_file() for s in group):
                yield from ((source, '') for source in group)
            else:
                wanted.append(group)
        yield from self.make(wanted, folder)

    def groups(self, sources: Iterable[Source]) -> Iterator[list[Source]]:
        """As many pictures as a batch holds; a video that has parts alone."""
        group: list[Source] = []
        for source in sources:
            parts = self.predictor.every or not self.predictor.kind.clips
            if source.kind == 'video' and parts:
                yield [source]
                continue
            group.append(source)
            if len(group) == self.predictor.batch:
                yield group
                group = []
        if group:
            yield group

    def make(
        self, groups: list[list[Source]], folder: str
    ) -> Iterator[tuple[Source, str]]:
        """Prepares the inputs of groups, in processes, and computes them."""
        owners: list[tuple[int, Source]] = []

        def jobs() -> Iterator[Job]:
            order = 0
            for number, group in enumerate(groups):
                for source in group:
                    for job in self.predictor.split(source):
                        owners.append((number, source))
                        yield job._replace(order=order)
                        order += 1

        task, workers = self.predictor.task, self.predictor.workers
        _, loaded = reading.start(task, jobs(), workers)
        current, group = -1, Group(self, [], folder)
        try:
            for job, samples, error in loaded:
                number, source = owners[job.order]
                if number != current:
                    yield from group.close()
                    current = number
                    group = Group(self, groups[number], folder)
                group.add(source, samples, error)
            yield from group.close()
        finally:
            group.drop()


class Group:
    """Inputs that are computed together, and the files of their features.

    A batch is computed as soon as it is full, and a row written as soon as
    all rows before it are: what is in memory does not grow with a video.

    Args:
        extractor: Computes.
        sources: The inputs.
        folder: Where to.
    """

    def __init__(
        self, extractor: Extractor, sources: list[Source], folder: str
    ) -> None:
        self.extractor, self.sources = extractor, sources
        self.files = {s.path: Rows(target(folder, s)) for s in sources}
        self.errors: dict[str, str] = {}
        self.waiting: dict[Any, list[tuple[int, Any]]] = {}
        self.owners: dict[int, str] = {}  # of rows that are not written
        self.rows: dict[int, np.ndarray] = {}
        self.count = self.written = 0

    def add(self, source: Source, samples: list[Any], error: str) -> None:
        """Takes prepared inputs of a source, or what is wrong with it."""
        if error:
            self.errors[source.path] = error
        predictor = self.extractor.predictor
        for sample in samples:
            self.owners[self.count] = source.path
            key = predictor.task.key(sample)
            bucket = self.waiting.setdefault(key, [])
            bucket.append((self.count, sample))
            self.count += 1
            if len(bucket) == predictor.batch:
                self.compute(key)

    def compute(self, key: Any) -> None:
        """Computes what waits of one size, and writes what is complete."""
        places, samples = zip(*self.waiting.pop(key))
        found = self.extractor.compute(list(samples))
        self.rows.update(zip(places, found))
        while self.written in self.rows:
            path = self.owners.pop(self.written)
            self.files[path].add(self.rows.pop(self.written))
            self.written += 1

    def close(self) -> Iterator[tuple[Source, str]]:
        """Computes what waits, and ends the files that are whole."""
        for key in list(self.waiting):
            self.compute(key)
        for source in self.sources:
            error = self.errors.get(source.path, '')
            if not error:
                rows = self.files[source.path]
                rows.close(rows.count > 1 or self.extractor.moving)
            yield source, error
        self.drop()

    def drop(self) -> None:
        """Removes what was not ended."""
        for rows in self.files.values():
            rows.drop()


def last_map(outputs: Any) -> Tensor:
    """The last map (B, C, *S) of what a backbone gives."""
    if isinstance(outputs, Tensor):
        return outputs
    maps = [last_map(one) for one in outputs if one is not None]
    return next(m for m in reversed(maps) if m.ndim > 3)


def pool(outputs: Any) -> Tensor:
    """Means (B, C) of the last map."""
    return last_map(outputs).float().flatten(2).mean(2)
