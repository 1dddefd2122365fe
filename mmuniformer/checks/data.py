"""Checks of the files of data sets, before any long work starts."""

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS

from ..errors import UserError
from ..weights import files
from . import class_folders, coco_files, video_lists
from .datasets import class_names, unwrapped

COCO = (
    'COCO 2017 (https://cocodataset.org/#download): train2017/, val2017/ and '
    'annotations/ belong in data/coco/'
)
# How to get each data set, by the class that reads it, and the layout of
# tools/make_toyworld.py that stands in for it.
SOURCES = {
    'CocoDataset': (COCO, 'coco'),
    'mmpose.CocoDataset': (COCO, 'keypoints'),
    'ADE20KDataset': (
        'ADE20K (http://data.csail.mit.edu/places/ADEchallenge/'
        'ADEChallengeData2016.zip): unpack it in data/ade/',
        'ade',
    ),
    'ImageNet': (
        'ImageNet-1K (https://image-net.org/challenges/LSVRC/2012): a folder '
        'for each class in data/imagenet/train/ and val/',
        'imagenet',
    ),
}


def check_data(cfg: Config, splits: tuple[str, ...]) -> None:
    """Checks that the files of a data set are there and can be read.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.

    Raises:
        UserError: A file or folder is missing, or an annotation file broken.
    """
    scope = cfg.get('default_scope')
    for split in splits:
        for dataset in unwrapped(cfg.get(f'{split}_dataloader')):
            root = Path(dataset.get('data_root') or '')
            # Hosts have different classes of the same name.
            kind = f'{scope}.{dataset["type"]}'
            if dataset.get('ann_file'):
                path = root / dataset['ann_file']
                _check_exists(path, split, kind)
                if path.suffix == '.json':
                    _check_coco(path, split, dataset, cfg)
            prefix = dataset.get('data_prefix') or {}
            if isinstance(prefix, str):
                prefix = dict(img_path=prefix)
            for folder in prefix.values():
                _check_exists(root / folder, split, kind)
            if 'seg_map_path' in prefix:
                _check_label_maps(dataset, split, scope)
            class_folders.check_token_labels(dataset, split)
            video_lists.check_files(dataset, split)


def _check_exists(path: Path, split: str, kind: str) -> None:
    if path.exists():
        return
    name = kind.split('.')[-1]
    unknown = f'the data of {name}', ''
    known = SOURCES.get(kind) or SOURCES.get(name) or video_lists.source(path)
    source, layout = known or unknown
    message = f'{split} data: {str(path)!r} does not exist. Get {source}'
    if layout:
        message += (
            f'; or make small stand-in data with tools/make_toyworld.py '
            f'--layouts {layout}'
        )
    raise UserError(message)


def _check_label_maps(
    dataset: dict[str, Any], split: str, scope: str | None
) -> None:
    """Raises UserError unless there are pictures, each with a label map.

    Without any picture mmengine's InfiniteSampler would never return.
    """
    with DATASETS.switch_scope_and_registry(scope) as registry:
        built = registry.build(dict(dataset, pipeline=[], lazy_init=True))
    folders = built.data_prefix
    pairs = built.load_data_list()
    if not pairs:
        raise UserError(
            f'{split} data: no picture *{built.img_suffix} in '
            f'{folders["img_path"]!r}'
        )
    # One listing is faster than twenty thousand questions.
    present = {
        os.path.normpath(os.path.join(folder, name))
        for folder, _, names in os.walk(folders['seg_map_path'])
        for name in names
    }
    wanted = [os.path.normpath(pair['seg_map_path']) for pair in pairs]
    missing = [path for path in wanted if path not in present]
    if missing:
        raise UserError(
            f'{split} data: {len(missing)} of {len(wanted)} pictures have no '
            f'label map; missing: {files.brief(missing)}'
        )


def _check_coco(
    path: Path, split: str, dataset: dict[str, Any], cfg: Config
) -> None:
    """Checks an annotation file and, for top-down models, their boxes."""
    content = coco_files.read_annotations(path)
    if content:
        pose = cfg.get('default_scope') == 'mmpose'
        head = cfg.model.get('head') or {}
        joints = head.get('out_channels') if pose else None
        coco_files.check_annotations(
            path,
            content,
            classes=class_names(dataset, cfg.get('default_scope'), split),
            subset='classes' in (dataset.get('metainfo') or {}),
            joints=joints,
        )
    if dataset.get('bbox_file'):
        coco_files.check_boxes(Path(dataset['bbox_file']), split, content)
