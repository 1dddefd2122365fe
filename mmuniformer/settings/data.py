"""Keys of the data: data_root, num_classes, frames, policy and others."""

import os
from typing import Any

from ..errors import UserError
from .values import (
    Cfg,
    data_parts,
    kind,
    nothing_to_change,
    positive_int,
    steps,
    walk,
)


def set_data_root(cfg: Cfg, root: Any) -> None:
    """Reads all data from another folder with the same things in it."""
    if not isinstance(root, (str, os.PathLike)) or not str(root):
        raise UserError(f'data_root={root!r}: wanted a folder')
    parts = data_parts(cfg)
    sets = [d for d in walk(list(parts.values())) if d.get('data_root')]
    old = {os.path.normpath(d['data_root']) for d in sets}
    if not sets:
        raise nothing_to_change('data_root', root, 'data set with a data_root')
    if len(old) > 1:
        raise UserError(
            f'data_root={root!r}: the data sets are in several folders, '
            f'{", ".join(sorted(old))}; wanted a data_root in each of them'
        )
    (folder,) = old
    for key, part in parts.items():
        cfg[key] = _moved(part, folder, str(root))


def _moved(value: Any, old: str, new: str) -> Any:
    """A value with all paths in one folder moved to another."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _moved(item, old, new)
    elif isinstance(value, (list, tuple)):
        return type(value)(_moved(item, old, new) for item in value)
    elif isinstance(value, str) and value:
        if os.path.normpath(value) == old:
            return new
        if value.startswith(f'{old}/'):
            return os.path.join(new, value[len(old) + 1 :])
    return value


def set_num_classes(cfg: Cfg, count: Any) -> None:
    """Tells so many classes apart: in every head, and wherever they mix."""
    found = [
        part
        for part in walk([cfg.get('model'), steps(cfg)])
        if 'num_classes' in part
    ]
    if not found:
        raise nothing_to_change('num_classes', count, 'model.*.num_classes')
    for part in found:
        part['num_classes'] = positive_int('num_classes', count)


def set_frames(cfg: Cfg, count: Any) -> None:
    """Takes clips of so many frames."""
    _set_in_steps(cfg, 'frames', 'clip_len', positive_int('frames', count))


def set_frame_interval(cfg: Cfg, interval: Any) -> None:
    """Takes each so many-th frame of a video."""
    interval = positive_int('frame_interval', interval)
    _set_in_steps(cfg, 'frame_interval', 'frame_interval', interval)


def _set_in_steps(cfg: Cfg, name: str, field: str, value: Any) -> None:
    found = [step for step in steps(cfg) if field in step]
    if not found:
        raise nothing_to_change(name, value, f'transform with a {field}')
    for step in found:
        step[field] = value


def set_policy(cfg: Cfg, policy: Any) -> None:
    """Augments by another policy, under timm's name for it."""
    if not isinstance(policy, str):
        raise UserError(f'policy={policy!r}: wanted a name as timm has them')
    found = [
        step
        for step in steps(cfg)
        if kind(step) in ('TimmAutoAugment', 'ClipAutoAugment')
    ]
    if not found:
        raise nothing_to_change('policy', policy, 'automatic augmentation')
    for step in found:
        step['policy'] = policy
