"""What a config says of its data sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS

from . import class_folders


def unwrapped(loader: Any) -> Iterator[dict[str, Any]]:
    """The data sets of a loader, out of their wrappers."""
    todo = [loader['dataset']] if loader else []
    while todo:
        dataset = todo.pop()
        inner = dataset.get('datasets') or [dataset.get('dataset')]
        if inner[0] is None:
            yield dataset
        else:
            todo += inner


def class_names(dataset: dict[str, Any], scope: str | None, split: str) -> Any:
    """Names of the classes of a data set, as far as they are known."""
    with DATASETS.switch_scope_and_registry(scope) as registry:
        kind = registry.get(dataset['type'])
    if not hasattr(kind, '_load_metainfo'):
        return None
    meta = kind._load_metainfo(dataset.get('metainfo')) or {}
    # Panoptic data: some heads are for things only.
    if 'thing_classes' in meta:
        return None
    if hasattr(kind, '_find_samples'):  # of mmpretrain
        return class_folders.class_names(dataset, split, meta.get('classes'))
    return meta.get('classes')


def is_toyworld(cfg: Config) -> bool:
    """Whether the training annotations were made by mmuniformer.toyworld.

    That package is not imported for its names: it needs pycocotools, which
    not every task has.
    """
    for dataset in unwrapped(cfg.get('train_dataloader')):
        root = Path(dataset.get('data_root') or '')
        name = dataset.get('ann_file') or ''
        # The marker of the folder, where lists are plain text.
        path = root / (name if name.endswith('.json') else 'toyworld.json')
        if not path.is_file():
            return False
        with open(path, 'rb') as file:
            if b'mmuniformer toy world' not in file.read(4096):
                return False
    return True
