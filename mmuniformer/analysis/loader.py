"""Samples per second and core of training pipelines, side by side.

All pipelines read the same files and take turns in one process, so that what
else the machine does meets all of them. What counts is the processor's time
of all threads: a sample that keeps two cores busy costs both. What each step
takes is measured in a turn of its own, by the clock on the wall.
"""

import inspect
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DATASETS, FUNCTIONS, init_default_scope

from ..engine.config import read_config
from ..engine.places import seed_all
from ..errors import UserError

# The hosts' own training pipelines for the data of our recipes.
HOSTS = {
    'mmpretrain': '_base_/datasets/imagenet_bs64_swin_224.py',
    'mmdet': '_base_/datasets/coco_instance.py',
    'mmseg': '_base_/datasets/ade20k.py',
    'mmpose': 'body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
    'mmaction': 'recognition/mvit/'
    'mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb.py',
}
BATCH = 8
# Turns that fill the tables of a loader's worker, before what is measured.
WARM = 10


class Row:
    """One pipeline of a comparison.

    Args:
        name: How the table calls it.
        sample: Makes the sample of an index.
        collate: Makes a batch of samples.
        dataset: Where they come from, if it is one of a config.

    Attributes:
        times: Seconds per sample of each turn.
        steps: Seconds of each step of a sample, from a turn of their own.
    """

    def __init__(
        self,
        name: str,
        sample: Callable[[int], Any],
        collate: Callable[[list], Any],
        dataset: Any = None,
    ) -> None:
        self.name = name
        self.dataset = dataset
        self.sample = sample
        self.collate = collate
        self.times: list[float] = []
        self.steps: dict[str, float] = defaultdict(float)

    def turn(self, indices: Sequence[int], seed: int) -> None:
        """Makes batches of samples and notes what they cost."""
        seed_all(seed)
        start = time.process_time()
        for first in range(0, len(indices), BATCH):
            batch = [self.sample(i) for i in indices[first : first + BATCH]]
            self.collate(batch)
        spent = time.process_time() - start
        self.times.append(spent / len(indices))

    def split(self, indices: Sequence[int], seed: int) -> None:
        """Makes samples once more and notes what each step costs."""
        if self.dataset is None:
            return
        clock(self.dataset.pipeline, self.steps)
        seed_all(seed)
        for i in indices:
            self.sample(i)
        for name in self.steps:
            self.steps[name] /= len(indices)

    @property
    def seconds(self) -> float:
        """Processor's seconds of a sample: the median of the turns."""
        return float(np.median(self.times))


def clock(pipeline: Any, steps: dict[str, float], prefix: str = '') -> None:
    """Has each transform of a pipeline note its time, in place.

    Args:
        pipeline: A ``Compose`` of any host.
        steps: Gets the seconds, by the names of the classes.
        prefix: Goes before the names.
    """
    for place, transform in enumerate(pipeline.transforms):
        read = getattr(transform, 'transform', transform)
        step = transform if inspect.isroutine(read) else read
        name = f'{prefix}{type(step).__name__}'
        nested = getattr(transform, 'transforms', None)
        if isinstance(nested, Compose):
            clock(nested, steps, f'{name} > ')
            continue
        pipeline.transforms[place] = Clock(transform, name, steps)


class Clock:
    """A transform whose time is noted.

    Args:
        transform: Of a pipeline.
        name: Of the transform.
        steps: Gets the seconds.
    """

    def __init__(
        self,
        transform: Callable[[Any], Any],
        name: str,
        steps: dict[str, float],
    ) -> None:
        self.transform = transform
        self.name = name
        self.steps = steps

    def __call__(self, results: Any) -> Any:
        """What the transform makes of ``results``."""
        start = time.perf_counter()
        results = self.transform(results)
        self.steps[self.name] += time.perf_counter() - start
        return results


def config_row(
    name: str,
    cfg: Config,
    files: Config | None = None,
    pipeline: list[Any] | None = None,
) -> Row:
    """The training pipeline of a config.

    Args:
        name: How the table calls it.
        cfg: Whole config.
        files: The config that says where the files are; ``cfg`` by default.
        pipeline: Takes the place of the config's.

    Raises:
        UserError: The config has no training data.
    """
    own = cfg.get('train_dataloader')
    if not own:
        raise UserError(f'{name}: the config has no train_dataloader')
    files = files or cfg
    init_default_scope(files.get('default_scope', 'mmengine'))
    dataset = dict(files.train_dataloader.dataset)
    dataset['pipeline'] = (
        pipeline or own.dataset.get('pipeline') or cfg.train_pipeline
    )
    built = DATASETS.build(dataset)
    built.full_init()
    collate = dict(own.get('collate_fn') or dict(type='pseudo_collate'))
    join = FUNCTIONS.get(collate.pop('type'))
    return Row(
        name, built.__getitem__, lambda batch: join(batch, **collate), built
    )


def host_config(scope: str) -> Path:
    """The host's own config for such data.

    Raises:
        UserError: There is none.
    """
    if scope not in HOSTS:
        raise UserError(f'--peer=host: no pipeline of {scope!r} is known')
    folder = Path(import_module(scope).__path__[0])
    path = folder / '.mim/configs' / HOSTS[scope]
    if not path.is_file():
        raise UserError(f'--peer=host: {str(path)!r}: no such file')
    return path


def picture_row(name: str, cfg: Config, ours: Row) -> Row:
    """The recipe of a classifier by timm or by torchvision.

    Args:
        name: 'timm' or 'torchvision'.
        cfg: Config of a classifier.
        ours: Its row, whose files are read.

    Raises:
        UserError: It is a config of something else.
    """
    from . import loader_peers

    if cfg.get('default_scope') != 'mmpretrain':
        raise UserError(f'--peer={name}: wanted a config of mmpretrain')
    dataset = ours.dataset
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    make = getattr(loader_peers, f'{name}_pipeline')
    sample, collate = make(cfg.train_dataloader.dataset.pipeline)
    return Row(name, lambda i: sample(paths[i]), collate)


def frames_row(cfg: Config) -> Row:
    """A recipe for videos, frame by frame.

    Raises:
        UserError: It is a config of something else.
    """
    from .loader_peers import frame_by_frame

    if cfg.get('default_scope') != 'mmaction':
        raise UserError('--peer=frames: wanted a config of mmaction')
    dataset = cfg.to_dict()['train_dataloader']['dataset']
    steps = [frame_by_frame(step) for step in dataset['pipeline']]
    return config_row('frames', cfg, pipeline=steps)


def rows_of(cfg: Config, peers: Sequence[str]) -> list[Row]:
    """The rows of a comparison, ours first.

    Args:
        cfg: Whole config.
        peers: 'timm', 'torchvision', 'host', 'frames', or paths of configs.
    """
    rows = [config_row('ours', cfg)]
    for peer in peers:
        if peer in ('timm', 'torchvision'):
            rows.append(picture_row(peer, cfg, rows[0]))
            continue
        if peer == 'frames':
            rows.append(frames_row(cfg))
            continue
        scope = cfg.get('default_scope', '')
        path = host_config(scope) if peer == 'host' else Path(peer)
        other = read_config(path)
        name = scope if peer == 'host' else path.stem
        rows.append(config_row(name, other, cfg))
    return rows


def race(rows: list[Row], samples: int, rounds: int) -> None:
    """Has the rows take turns; each round starts with another one.

    Args:
        rows: Of :func:`rows_of`.
        samples: Of a turn.
        rounds: How many turns each row has.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    total = len(rows[0].dataset)
    for row in rows:
        for r in range(WARM):  # what is made once
            row.turn([i % total for i in range(samples)], rounds + r)
        row.times.clear()
    for r in range(rounds):
        indices = [(r * samples + i) % total for i in range(samples)]
        for k in range(len(rows)):
            rows[(k + r) % len(rows)].turn(indices, r)
    for row in rows:
        row.split(range(min(samples, total)), 0)


def record(rows: list[Row], samples: int) -> dict[str, Any]:
    """What a comparison found: milliseconds, turn by turn, and the ratios.

    A ratio is that of another row's milliseconds to ours.
    """
    found: dict[str, Any] = dict(samples=samples, rows={}, ratios={})
    for row in rows:
        found['rows'][row.name] = dict(
            ms=round(1000 * row.seconds, 2),
            turns=[round(1000 * seconds, 2) for seconds in row.times],
            steps={k: round(1000 * v, 2) for k, v in row.steps.items()},
        )
    for row in rows[1:]:
        ratio = row.seconds / rows[0].seconds
        found['ratios'][row.name] = round(ratio, 2)
    return found


def report(rows: list[Row]) -> str:
    """Two tables in Markdown: samples per second, and the steps of each."""
    first = rows[-1] if len(rows) == 1 else rows[1]
    lines = [
        f'| pipeline | samples/s and core | ms | of {first.name} |',
        '| --- | ---: | ---: | ---: |',
    ]
    for row in rows:
        share = first.seconds / row.seconds
        lines.append(
            f'| {row.name} | {1 / row.seconds:.1f} '
            f'| {1000 * row.seconds:.2f} | {share:.2f} |'
        )
    for row in rows:
        if row.steps:
            lines += ['', f'{row.name}, milliseconds of a sample:', '']
        for name, spent in row.steps.items():
            lines.append(f'- {name}: {1000 * spent:.2f}')
    return '\n'.join(lines)
