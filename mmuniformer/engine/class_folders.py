"""Data sets that are a folder of pictures for each class."""

from pathlib import Path
from typing import Any

from ..errors import UserError


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
