"""Data sets that are a folder of pictures for each class."""

import os
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..weights.files import brief


def class_names(dataset: dict[str, Any], split: str, known: Any) -> Any:
    """Names of the classes, which are those of the folders.

    Args:
        dataset: Config of a ``CustomDataset`` of mmpretrain, or of one that
            is made from it.
        split: How to call it in errors.
        known: The names that its class or its config knows, if any.

    Raises:
        UserError: No folders, or not as many as known names.
    """
    if dataset.get('ann_file') or not dataset.get('with_label', True):
        return known
    prefix = dataset.get('data_prefix') or dataset.get('split') or ''
    if not isinstance(prefix, str):
        prefix = prefix.get('img_path', '')
    folder = Path(dataset.get('data_root') or '') / prefix
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if not found:
        raise UserError(
            f'{split} data: no folders in {str(folder)!r}; wanted one for '
            f'each class, with the pictures of the class in it'
        )
    if known and len(known) != len(found):
        raise UserError(
            f'{split} data: {str(folder)!r} has {len(found)} folders of '
            f'classes, but {dataset["type"]} has {len(known)} classes; use '
            f"type='CustomDataset' for a data set of your own"
        )
    return found


def check_same(
    split: str, names: list[str], other: str, wanted: list[str]
) -> None:
    """Checks that two splits number their classes alike.

    Args:
        split: One of 'train', 'val' and 'test'.
        names: Names of its classes in order.
        other: Another one.
        wanted: Names of the classes of that.

    Raises:
        UserError: Other classes, or another order.
    """
    if names != wanted:
        alone = sorted(set(names) ^ set(wanted))
        what = f'only one has {brief(alone)}' if alone else 'another order'
        raise UserError(
            f'{split} data: its classes are not those of the {other} data '
            f'({what}); wanted the same in the same order, by which they are '
            f'numbered'
        )


def check_token_labels(dataset: dict[str, Any], split: str) -> None:
    """Checks that each picture has a label map, if its pipeline reads them.

    Raises:
        UserError: The folder of the maps or some of them are missing.
    """
    readers = [
        step
        for step in dataset.get('pipeline') or ()
        if step['type'] == 'mmuniformer.LoadTokenLabel'
    ]
    if not readers:
        return
    maps = Path(readers[0]['folder'])
    if not maps.is_dir():
        raise UserError(
            f'{split} data: {str(maps)!r} does not exist. Unpack the label '
            f'maps of token labeling there, or make some with '
            f'tools/make_token_labels.py'
        )
    prefix = dataset.get('data_prefix') or ''
    if not isinstance(prefix, str):
        prefix = prefix.get('img_path', '')
    folder = Path(dataset.get('data_root') or '') / prefix
    wanted = {path.with_suffix('.pt') for path in _files(folder)}
    missing = sorted(map(str, wanted - set(_files(maps))))
    if missing:
        raise UserError(
            f'{split} data: {len(missing)} of {len(wanted)} pictures have no '
            f'label map in {str(maps)!r}; missing: {brief(missing)}'
        )


def _files(folder: Path) -> list[Path]:
    """Class and name of each file, two levels below a folder."""
    return [
        Path(entry.name, file)
        for entry in os.scandir(folder)
        if entry.is_dir()
        for file in os.listdir(entry.path)
    ]
