"""Checks of loaders, samplers and loops, before the first step."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATA_SAMPLERS, LOOPS

from .datasets import flat_steps, full_name, resolve, type_name
from .findings import Findings
from .samples import Data

ENDLESS = (
    'mmengine.InfiniteSampler', 'mmdet.MultiSourceSampler',
    'mmdet.GroupMultiSourceSampler', 'mmpose.MultiSourceSampler',
)  # fmt: skip
# Wrappers of data sets that are as long as what is inside.
SAME_LENGTH = ('ConcatDataset', 'MultiImageMixDataset', 'CombinedDataset')


def check_numbers(cfg: Config, split: str, found: Findings) -> None:
    """Checks the numbers of a loader, of which PyTorch says little."""
    loader = cfg.get(f'{split}_dataloader')
    fault = loader_fault(loader) if isinstance(loader, dict) else ''
    if fault:
        found.error('number of a loader', f'{split}_dataloader.{fault}')


def loader_fault(loader: Mapping[str, Any]) -> str:
    """The number of a loader that is none, or ''.

    Args:
        loader: Its config.
    """
    least = dict(batch_size=1, num_workers=0)
    for key in least.keys() & loader.keys():
        value = loader[key]
        if value is None and key == 'batch_size':
            continue  # a batch_sampler has it
        if value == 'auto' and key == 'num_workers':
            continue  # the machine has it
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < least[key]:
            auto = " or 'auto'" if key == 'num_workers' else ''
            return (
                f'{key}={value!r}: wanted a whole number from {least[key]}'
                f'{auto}'
            )
    value = loader.get('timeout', 0)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not value >= 0:
        return f'timeout={value!r}: wanted seconds'
    return ''


def is_epoch_loop(cfg: Config) -> bool | None:
    """Whether training counts in epochs; None for loops of others."""
    loop = cfg.get('train_cfg') or {}
    if not isinstance(loop, dict):
        return None
    if 'type' not in loop:
        return bool(loop.get('by_epoch', True))
    kind = resolve(LOOPS, loop['type'], cfg.get('default_scope'))
    names = [full_name(base) for base in getattr(kind, '__mro__', ())]
    if 'mmengine.EpochBasedTrainLoop' in names:
        return True
    if 'mmengine.IterBasedTrainLoop' in names:
        return False
    return None


def check_loop(cfg: Config, found: Findings) -> None:
    """Checks the numbers of the loop of training."""
    loop = cfg.get('train_cfg')
    if not isinstance(loop, dict) or is_epoch_loop(cfg) is None:
        return
    for key in ('max_epochs', 'max_iters', 'val_interval'):
        value = loop.get(key, 1)
        number = isinstance(value, (int, float)) and math.isfinite(value)
        if not number or value != int(value) or value < 1:
            found.error(
                'length of training',
                f'train_cfg.{key}={value!r}: wanted a whole number from 1',
            )


def check_sampler(cfg: Config, split: str, found: Findings) -> None:
    """Checks that the loop over a loader comes to an end."""
    loader = cfg.get(f'{split}_dataloader')
    sampler = loader.get('sampler') if isinstance(loader, dict) else None
    if not isinstance(sampler, dict) or 'type' not in sampler:
        return
    kind = resolve(DATA_SAMPLERS, sampler['type'], cfg.get('default_scope'))
    name = full_name(kind) if isinstance(kind, type) else ''
    if name not in ENDLESS or (split == 'train' and not is_epoch_loop(cfg)):
        return
    found.error(
        'endless sampler',
        f'{split}_dataloader.sampler={type_name(sampler)} never ends, and '
        f'{"an epoch" if split == "train" else "a validation or test"} '
        f'would not either; set {split}_dataloader.sampler=dict('
        f"type='DefaultSampler', shuffle={split == 'train'})"
        + (', or train in iterations' if split == 'train' else ''),
    )


def check_erasing(cfg: Config, found: Findings) -> None:
    """Checks that boxes to be erased on the device are erased there."""
    dataset = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    steps = list(flat_steps(dataset.get('pipeline')))
    if not any(step.get('on_device') for step in steps):
        return
    model = cfg.get('model') or {}
    prepare = model.get('data_preprocessor') or cfg.get('data_preprocessor')
    types = [str(step.get('type')) for step in [*steps, prepare or {}]]
    for name in ('mmuniformer.PackInputs', 'mmuniformer.ClsDataPreprocessor'):
        if name not in types:
            found.error(
                'erasing',
                f'TimmRandomErasing.on_device=True: nothing would be erased, '
                f'as the config has no {name}; wanted it (in the pipeline '
                f'PackInputs, in model.data_preprocessor '
                f'ClsDataPreprocessor), or on_device=False',
            )


def length(dataset: Any, parts: list[Data]) -> int | None:
    """Samples of a data set with its wrappers; None where nobody knows.

    Args:
        dataset: Its config.
        parts: What the data sets in it hold, in order; used up.
    """
    inner = dataset.get('datasets') or dataset.get('dataset')
    name = type_name(dataset)
    if not isinstance(inner, (dict, list, tuple)):
        count = parts.pop(0).length if parts else None
        few = dataset.get('indices')
        few = len(few) if isinstance(few, (list, tuple)) else few
        return min(count, few) if count and isinstance(few, int) else count
    inner = [inner] if isinstance(inner, dict) else inner
    if not all(isinstance(one, dict) for one in inner):
        return None
    lengths = [length(one, parts) for one in inner]
    if any(n is None for n in lengths):
        return None
    total = sum(n for n in lengths if n is not None)
    if name == 'RepeatDataset':
        return total * int(dataset.get('times', 1))
    if name in SAME_LENGTH and not dataset.get('sample_ratio_factor'):
        return total
    return None


def steps_per_epoch(
    cfg: Config, parts: Sequence[Data], world: int
) -> int | None:
    """Steps of one epoch of training; None where nobody knows."""
    loader = cfg.get('train_dataloader')
    if not isinstance(loader, dict) or not loader.get('dataset'):
        return None
    samples = length(loader['dataset'], list(parts))
    batch = loader.get('batch_size', 1)
    own = type_name(loader.get('sampler'))
    known = own in ('DefaultSampler', 'InfiniteSampler')
    if samples is None or not known:
        return None
    if not isinstance(batch, int) or batch < 1:
        return None
    share = -(-samples // world)
    if drops_last(loader):
        return share // batch
    return -(-share // batch)


def drops_last(loader: Any) -> bool:
    """Whether an incomplete batch is left out."""
    sampler = loader.get('batch_sampler') or {}
    return bool(loader.get('drop_last') or sampler.get('drop_last'))


def check_steps(
    cfg: Config, parts: Sequence[Data], found: Findings
) -> int | None:
    """Checks that an epoch has a step; returns how many it has."""
    world = world_size()
    steps = steps_per_epoch(cfg, parts, world)
    loader = cfg.get('train_dataloader') or {}
    endless = type_name(loader.get('sampler')) == 'InfiniteSampler'
    if steps == 0 and not endless:
        samples = length(loader['dataset'], list(parts))
        share = -(-(samples or 0) // world)
        over = f' on each of {world} processes' if world > 1 else ''
        found.error(
            'no whole batch',
            f'train data: {share} samples{over}, but '
            f'train_dataloader.batch_size={loader["batch_size"]} and an '
            f'incomplete batch is dropped (drop_last=True), so there is no '
            f'step; set train_dataloader.batch_size={max(share, 1)} or less',
        )
    return steps


def world_size() -> int:
    """Processes of this run, as the launcher says."""
    try:
        return max(int(os.environ.get('WORLD_SIZE', 1)), 1)
    except ValueError:
        return 1


def check_launcher(cfg: Config, found: Findings) -> None:
    """Checks that processes of a launcher know of each other."""
    world = world_size()
    if world > 1 and cfg.get('launcher', 'none') == 'none':
        found.error(
            'launcher',
            f'WORLD_SIZE={world} in the environment, but no --launcher: '
            f'each process would train alone and all write to the same '
            f'files. Add --launcher pytorch, or start with '
            f'tools/dist_train.sh; without a launcher, unset WORLD_SIZE',
        )
