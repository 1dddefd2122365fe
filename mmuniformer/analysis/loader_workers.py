"""Memory that the workers of a training's loader have for themselves."""

import copy
import multiprocessing
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from mmengine.config import Config

from ..engine import heap
from ..engine.launch import build_runner
from ..errors import UserError

KB_OF_MIB = 1024
BATCHES = 100


def measure(cfg: Config, workers: int, batches: int = BATCHES) -> Any:
    """Loads batches in a process that could train on them.

    Args:
        cfg: Whole config.
        workers: How many of them.
        batches: After so many the memory is looked at.

    Returns:
        Seconds to the first batch, and of a worker, in MiB, ``uss``: what no
        other process shares; ``pss``: with its share of what is shared;
        ``rss``: all that it sees.

    Raises:
        UserError: The config has no training data, or Linux does not say it.
    """
    if not cfg.get('train_dataloader'):
        raise UserError('--workers: the config has no train_dataloader')
    if not Path('/proc/self/smaps_rollup').is_file():
        raise UserError('--workers: wanted Linux, whose /proc says it')
    cfg = copy.deepcopy(cfg)
    cfg.train_dataloader.update(num_workers=workers, persistent_workers=True)
    cfg.visualizer = cfg.load_from = None
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg, 'none')
        loader: Any = runner.build_train_loop(runner._train_loop).dataloader
        if not len(loader):
            raise UserError('--workers: the data are less than a batch')
        heap.give_back()  # as at the start of a training
        start = time.perf_counter()
        stream = endless(loader)
        next(stream)
        first = time.perf_counter() - start
        for _ in range(batches - 1):
            next(stream)
        sizes = [
            memory(child.pid)
            for child in multiprocessing.active_children()
            if child.pid
        ]
    found: dict[str, Any] = dict(workers=workers, batches=batches)
    found['first_batch_seconds'] = round(first, 2)
    for name in ('uss', 'pss', 'rss'):
        found[name] = round(mean(size[name] for size in sizes), 1)
    return found


def endless(loader: Any) -> Any:
    """Batches, epoch after epoch."""
    while True:
        yield from loader


def memory(process: int) -> dict[str, float]:
    """USS, PSS and RSS of a process, in MiB."""
    lines = Path(f'/proc/{process}/smaps_rollup').read_text().splitlines()
    size = {
        row[0]: int(row[1]) / KB_OF_MIB for row in map(str.split, lines[1:])
    }
    own = size['Private_Clean:'] + size['Private_Dirty:']
    return dict(uss=own, pss=size['Pss:'], rss=size['Rss:'])


def report(found: dict[str, Any]) -> str:
    """What was found, in two lines."""
    return (
        f'first batch of {found["workers"]} workers after '
        f'{found["first_batch_seconds"]} s\n'
        f'a worker after {found["batches"]} batches: {found["uss"]} MiB of '
        f'its own, {found["pss"]} with its share of what others see, too, '
        f'{found["rss"]} in all'
    )
