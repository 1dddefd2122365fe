"""Hidden folders among the folders of classes.

Jupyter leaves ``.ipynb_checkpoints`` where pictures were looked at. mmpretrain
counts it as the first class and shifts all others (mmpretrain#507).
"""

from types import ModuleType
from typing import Any


def apply(custom: ModuleType) -> None:
    """Has mmpretrain's CustomDataset leave out hidden folders."""
    find, samples = custom.find_folders, custom.get_samples

    def find_folders(*args: Any, **kwargs: Any) -> Any:
        names = [n for n in find(*args, **kwargs)[0] if not n.startswith('.')]
        return names, {name: i for i, name in enumerate(names)}

    def get_samples(*args: Any, **kwargs: Any) -> Any:
        found, empty = samples(*args, **kwargs)
        return [one for one in found if not _hidden(one)], empty

    vars(custom).update(find_folders=find_folders, get_samples=get_samples)


def _hidden(sample: Any) -> bool:
    path = sample if isinstance(sample, str) else sample[0]
    return path.startswith('.') or '/.' in path
