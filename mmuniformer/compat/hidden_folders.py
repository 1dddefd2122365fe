"""Hidden folders among the folders of classes and of pictures.

Jupyter leaves ``.ipynb_checkpoints`` where pictures were looked at. mmpretrain
counts it as the first class and shifts all others (mmpretrain#507). mmseg
takes the copies in it for pictures, which have no label map.
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


def apply_to_mmseg(module: ModuleType) -> None:
    """Has mmseg leave out hidden folders, if it lists pictures by itself."""
    load = module.BaseSegDataset.load_data_list

    def load_data_list(self: Any) -> Any:
        found = load(self)
        if self.ann_file:
            return found
        folder = self.data_prefix.get('img_path') or ''
        return [
            one for one in found if not _hidden(one['img_path'][len(folder) :])
        ]

    module.BaseSegDataset.load_data_list = load_data_list


def _hidden(sample: Any) -> bool:
    path = sample if isinstance(sample, str) else sample[0]
    return path.startswith('.') or '/.' in path
