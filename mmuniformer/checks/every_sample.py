"""All checks of a config over every sample, in parallel."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import Any

from mmengine.config import Config

from . import label_values, start
from .datasets import Source
from .findings import Findings
from .open_files import Opened, open_all
from .samples import Data, Task

CHUNK = 32
Progress = Callable[[int, int], None]


def check_all(
    cfg: Config,
    splits: tuple[str, ...] = ('train', 'val', 'test'),
    fast: bool = False,
    workers: int | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Checks a config and opens each file of its data sets.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'; a test of the same data as
            validation is left out.
        fast: Read headers alone.
        workers: Processes; by default one for each CPU.
        progress: Gets the number of files that are done, and of all.

    Returns:
        A report: ``findings``, each with kind, level, where, text, count and
        examples; ``data``, what each data set holds; ``seconds``, ``files``.
        It can be written as JSON.
    """
    began = time.perf_counter()
    found = Findings(keep=50)
    if _same(cfg, 'val', 'test'):
        splits = tuple(split for split in splits if split != 'test')
    start.check_config(cfg, splits, found)
    holds = start.check_files(cfg, splits, found, full=True)
    total = sum(len(data.tasks) for _, data in holds)
    done = 0
    rows = []
    for source, data in holds:
        found.where = f'{source.split} data'
        parts = Opened(Findings(keep=50), Counter(), [], 0)
        for part in _opened(data.tasks, fast, workers):
            _rename(part.found, found.where)
            found.extend(part.found)
            parts.pixels.update(part.pixels)
            parts.lengths.extend(part.lengths)
            done += part.files
            progress(done, total)
        _check_maps(data.tasks, parts.pixels, found)
        rows.append(_row(source, data, parts))
    found.where = ''
    return dict(
        config=str(cfg.filename),
        seconds=round(time.perf_counter() - began, 2),
        files=total,
        fast=fast,
        data=rows,
        findings=[
            dict(
                kind=one.kind,
                level='error' if one.error else 'warning',
                where=one.where,
                text=one.line(),
                count=one.number,
                examples=[one.text, *one.others],
            )
            for one in found
        ],
    )


def _same(cfg: Config, *splits: str) -> bool:
    """Whether two splits read the same data."""
    loaders = [cfg.get(f'{split}_dataloader') or {} for split in splits]
    one, other = (dict(loader).get('dataset') for loader in loaders)
    return one is not None and one == other


def _opened(
    tasks: Sequence[Task], fast: bool, workers: int | None
) -> Iterator[Opened]:
    """Opens files in chunks, by as many processes."""
    count = workers or os.cpu_count() or 1
    chunks = (tasks[i : i + CHUNK] for i in range(0, len(tasks), CHUNK))
    if count == 1 or len(tasks) <= CHUNK:
        yield from (open_all(list(chunk), fast) for chunk in chunks)
        return
    # A training in this process may hear signals; its children are to end.
    initial = (signal.signal, (signal.SIGTERM, signal.SIG_DFL))
    with get_context('fork').Pool(count, *initial) as pool:
        jobs = ((list(chunk), fast) for chunk in chunks)
        yield from pool.imap_unordered(_open_chunk, jobs)
        # One that is ended while it waits for a job keeps the others' lock.
        pool.close()
        pool.join()


def _open_chunk(job: tuple[list[Task], bool]) -> Opened:
    return open_all(*job)


def _rename(found: Findings, where: str) -> None:
    """Puts findings of a process where its data set is."""
    found._found = {
        (kind, where, error): value
        for (kind, _, error), value in found._found.items()
    }


def _check_maps(
    tasks: Sequence[Task], pixels: Counter[int], found: Findings
) -> None:
    """Checks the values of all label maps together."""
    maps = [task for task in tasks if task.kind == 'labels']
    if maps:
        labels = maps[0].extra[1]
        label_values.check_seen(pixels, labels, maps[0].path, found)


def _row(source: Source, data: Data, parts: Opened) -> dict[str, Any]:
    """What a data set holds, in numbers."""
    counts: dict[str, int] = dict(data.counts)
    if parts.pixels and data.tasks:
        labels = data.tasks[0].extra[1]
        for value, new in labels.classes_of(list(parts.pixels)).items():
            known = 0 <= new < len(labels.names)
            name = str(labels.names[new]) if known else f'value {value}'
            counts[name] = counts.get(name, 0) + parts.pixels[value]
    lengths = sorted([*data.lengths, *filter(None, parts.lengths)])
    sides = sorted((w * h) ** 0.5 for w, h in data.boxes)
    return dict(
        split=source.split,
        type=source.name,
        samples=data.length,
        files=len(data.tasks),
        counts=counts,
        clip_lengths=_spread(lengths),
        box_sizes=_spread(sides),
    )


def _spread(values: list[Any]) -> list[float]:
    """Up to 1000 values, evenly spread over the sorted ones."""
    step = max(1, len(values) // 1000)
    return [round(float(value), 1) for value in values[::step]]
