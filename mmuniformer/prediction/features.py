"""Features of pictures, clips and videos, the same bytes at every run.

Inputs are computed in groups that depend on their order alone. So what was
interrupted goes on group by group, and gives the files of one run.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from ..engine.speed import Tidy
from ..errors import UserError
from ..weights.load import find_backbone
from . import reading
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
        for group, parts, errors in self.read(wanted):
            found = self.features(parts)
            for source in group:
                rows = found.get(source.path, [])
                error = errors.get(source.path, '')
                if rows and not error:
                    moving = len(rows) > 1 or self.predictor.every
                    save(target(folder, source), rows if moving else rows[0])
                yield source, error

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

    def read(
        self, groups: list[list[Source]]
    ) -> Iterator[tuple[list[Source], list[Any], dict[str, str]]]:
        """Prepares the inputs of groups, in processes."""
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
        tidy = Tidy()
        current = 0
        parts: list[Any] = []
        errors: dict[str, str] = {}
        for job, samples, error in loaded:
            number, source = owners[job.order]
            if number != current:
                yield groups[current], parts, errors
                current, parts, errors = number, [], {}
                tidy()
            if error:
                errors[source.path] = error
            parts += [(source.path, sample) for sample in samples]
        if groups:
            yield groups[current], parts, errors

    def features(self, parts: list[Any]) -> dict[str, list[np.ndarray]]:
        """Features by source, of prepared inputs of a group."""
        by_size: dict[Any, list[int]] = {}
        for place, (_, sample) in enumerate(parts):
            key = self.predictor.task.key(sample)
            by_size.setdefault(key, []).append(place)
        done: dict[int, np.ndarray] = {}
        step = self.predictor.batch
        for places in by_size.values():
            for start in range(0, len(places), step):
                some = places[start : start + step]
                rows = self.compute([parts[place][1] for place in some])
                done.update(zip(some, rows))
        found: dict[str, list[np.ndarray]] = {}
        for place, (path, _) in enumerate(parts):
            found.setdefault(path, []).append(done[place])
        return found


def last_map(outputs: Any) -> Tensor:
    """The last map (B, C, *S) of what a backbone gives."""
    if isinstance(outputs, Tensor):
        return outputs
    maps = [last_map(one) for one in outputs if one is not None]
    return next(m for m in reversed(maps) if m.ndim > 3)


def pool(outputs: Any) -> Tensor:
    """Means (B, C) of the last map."""
    return last_map(outputs).float().flatten(2).mean(2)


def target(folder: str, source: Source) -> Path:
    """The file of a source; its suffix tells a.jpg from a.png."""
    suffix = Path(source.path).suffix.lstrip('.')
    name = f'{source.name}.{suffix}' if suffix else source.name
    return Path(folder) / f'{name}.npy'


def save(path: Path, value: Any) -> None:
    """Writes an array, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f'.part{os.getpid()}')
    with open(part, 'wb') as file:
        np.save(file, np.asarray(value, np.float32))
    os.replace(part, path)


def join(folder: str, path: str) -> int:
    """Puts all files of a folder into one.

    Args:
        folder: As of :meth:`Extractor.run`.
        path: ``.safetensors`` by name, or ``.parquet`` with a row per file.

    Returns:
        How many there were.

    Raises:
        UserError: Another suffix, or no pyarrow for parquet.
    """
    files = sorted(Path(folder).rglob('*.npy'))
    names = [f.relative_to(folder).with_suffix('').as_posix() for f in files]
    arrays = [np.load(file) for file in files]
    if path.endswith('.safetensors'):
        from safetensors.numpy import save_file

        save_file(dict(zip(names, arrays)), path)
    elif path.endswith('.parquet'):
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise UserError(
                f'{path!r}: parquet needs pyarrow; pip install pyarrow'
            ) from error
        rows = [array.ravel() for array in arrays]
        shapes = [list(array.shape) for array in arrays]
        table = dict(name=names, feature=rows, shape=shapes)
        parquet.write_table(pyarrow.table(table), path)
    else:
        raise UserError(f'{path!r}: wanted .safetensors or .parquet')
    return len(files)
