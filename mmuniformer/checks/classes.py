"""Checks of the numbers of classes, before any long work starts."""

import os
from typing import Any

from mmengine.config import Config

from . import class_folders, models
from .datasets import Source, metainfo, sources
from .findings import Findings
from .pictures import brief


def check_classes(cfg: Config, splits: tuple[str, ...]) -> None:
    """Checks that the heads have one output per class of the data.

    Otherwise a loss fails late, on a GPU without a reason, and a test gives
    wrong numbers.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.

    Raises:
        UserError: A head has more or less, or the splits differ in classes.
    """
    found = Findings()
    first: tuple[str, list[str]] | None = None
    for split in splits:
        for source in sources(cfg, split):
            found.where = f'{split} data'
            names = class_names(source)
            check_names(source, found)
            check_source(source, cfg, names, found)
            if names:
                first = first or (split, list(names))
                check_same(list(names), *first, found)
    found.conclude()


def check_source(
    source: Source, cfg: Config, names: Any, found: Findings
) -> None:
    """Checks names and number of the classes of a data set.

    Args:
        source: The data set.
        cfg: Whole config.
        names: Its classes, if they are known.
        found: Gets what is wrong.
    """
    if not names or isinstance(names, str):
        _check_joints(source, cfg, found)
        return
    counts = models.class_counts(cfg.get('model'))
    wrong = [(option, n) for option, n in counts if n != len(names)]
    empty = _empty_folders(source) if wrong else []
    if len(wrong) > 1 and len({n for _, n in wrong}) == 1 and not empty:
        options = ', '.join(f'{option}={count}' for option, count in wrong)
        found.error(
            'number of classes',
            f'{source.name} has {len(names)} classes, but {options}; set '
            f'num_classes={len(names)} in the config, which changes all of '
            f'them, or metainfo.classes of the dataset to the names of the '
            f'{wrong[0][1]} classes',
        )
        return
    for option, count in wrong:
        if empty:
            found.error(
                'number of classes',
                f'{source.name} has {len(names)} classes, as {brief(empty)} '
                f'without a picture counts as one, but {option}={count}; '
                f'remove the empty folders',
            )
        else:
            found.error(
                'number of classes',
                f'{source.name} has {len(names)} classes, but '
                f'{option}={count}; set {option}={len(names)}, or '
                f'metainfo.classes of the dataset to the names of the '
                f'{count} classes',
            )


def _empty_folders(source: Source) -> list[str]:
    """Folders without a picture among those that are classes."""
    if source.owner() != 'mmpretrain.CustomDataset' or source.cfg.get(
        'ann_file'
    ):
        return []
    if not os.path.isdir(class_folders.picture_folder(source)):
        return []
    return class_folders.empty_folders(source)


def class_names(source: Source) -> Any:
    """Names of the classes of a data set, as far as they are known."""
    meta = metainfo(source)
    # Panoptic data: some heads are for things only.
    if 'thing_classes' in meta or not source.kind:
        return None
    if source.owner() == 'mmpretrain.CustomDataset':
        return class_folders.class_names(source)
    if source.is_a('mmpretrain.BaseDataset'):
        return class_folders.known_names(source)
    return meta.get('classes')


def check_names(source: Source, found: Findings) -> None:
    """Checks how a config gives the names of the classes."""
    meta = source.cfg.get('metainfo') or {}
    if not isinstance(meta, dict):
        return
    for option, names in (
        ('metainfo.classes', meta.get('classes')),
        ('classes', source.cfg.get('classes')),
    ):
        if names is None:
            continue
        if isinstance(names, str):
            if not os.path.isfile(names):
                found.error(
                    'classes',
                    f'{option}={names!r} of {source.name} is a string (and '
                    f'no file of names); wanted a tuple or a list, of one '
                    f'class ({names!r},) with a comma',
                )
            continue
        if isinstance(names, (set, frozenset)):
            found.error(
                'classes',
                f'{option} of {source.name} is a set, which has no order to '
                f'number by; wanted a tuple or a list',
            )
            continue
        strange = [name for name in names if not isinstance(name, str)]
        twice = sorted({n for n in names if list(names).count(n) > 1}, key=str)
        if strange or twice:
            what = (
                f'{strange[0]!r} is no name'
                if strange
                else (f'{twice[0]!r} is given twice')
            )
            found.error('classes', f'{option} of {source.name}: {what}')
    if 'CLASSES' in meta and 'classes' not in meta:
        found.error(
            'classes',
            f'metainfo.CLASSES of {source.name} is read by nothing; wanted '
            f'metainfo.classes',
        )


def check_same(
    names: list[str], other: str, wanted: list[str], found: Findings
) -> None:
    """Checks that two splits number their classes alike.

    Args:
        names: Names of the classes of this split, in order.
        other: Another split.
        wanted: Names of the classes of that.
        found: Gets what is wrong.
    """
    if names == wanted:
        return
    alone = sorted(set(names) ^ set(wanted))
    what = f'only one has {brief(alone)}' if alone else 'another order'
    found.error(
        'other classes',
        f'its classes are not those of the {other} data ({what}); wanted '
        f'the same in the same order, by which they are numbered',
    )


def _check_joints(source: Source, cfg: Config, found: Findings) -> None:
    """Checks that a pose head has the joints of the data."""
    if not source.is_a('mmpose.BaseCocoStyleDataset'):
        return
    joints = models.converted_joints(source.steps())
    if joints is None:
        for step in source.steps():
            if not models.keeps_joints(step, source.scope):
                return
        joints = metainfo(source).get('num_keypoints')
    for option, count in models.joint_counts(cfg.get('model')):
        if joints and count != joints:
            found.error(
                'number of joints',
                f'{source.name} has {joints} joints (metainfo of the '
                f'dataset), but {option} is for {count}; set '
                f'{option}={joints}, or metainfo to that of your joints',
            )
