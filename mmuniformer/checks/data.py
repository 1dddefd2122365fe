"""Checks of the files of data sets, before any long work starts."""

import os
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from . import (
    class_folders,
    coco_data,
    label_maps,
    tar_data,
    video_lists,
    voc_files,
)
from .datasets import Source, sources
from .findings import Findings, debug
from .samples import Data

COCO = (
    'COCO 2017 (https://cocodataset.org/#download): train2017/, val2017/ and '
    'annotations/ belong in data/coco/'
)
# How to get each data set, by the class that reads it, and the layout of
# tools/make_toyworld.py that stands in for it.
SOURCES = {
    'mmdet.CocoDataset': (COCO, 'coco'),
    'mmpose.CocoDataset': (COCO, 'keypoints'),
    'mmseg.ADE20KDataset': (
        'ADE20K (http://data.csail.mit.edu/places/ADEchallenge/'
        'ADEChallengeData2016.zip): unpack it in data/ade/',
        'ade',
    ),
    'mmpretrain.ImageNet': (
        'ImageNet-1K (https://image-net.org/challenges/LSVRC/2012): a folder '
        'for each class in data/imagenet/train/ and val/',
        'imagenet',
    ),
}
Check = Callable[[Source, Config, Findings, bool], Data]
# What checks the files of a data set, by the class that reads them: the one
# that defines ``load_data_list``. Others are let pass.
CHECKS: dict[str, Check] = {
    'mmdet.CocoDataset': coco_data.check,
    'mmdet.XMLDataset': voc_files.check,
    'mmpose.BaseCocoStyleDataset': coco_data.check,
    'mmpretrain.CustomDataset': class_folders.check,
    'mmengine.BaseDataset': class_folders.check_data_list,
    'mmseg.BaseSegDataset': label_maps.check,
    'mmuniformer.ClipDataset': video_lists.check,
    'mmuniformer.FrameDataset': video_lists.check,
    'mmaction.VideoDataset': video_lists.check,
    'mmaction.RawframeDataset': video_lists.check,
}


def check_data(cfg: Config, splits: tuple[str, ...]) -> None:
    """Checks that the files of a data set are there and can be read.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.

    Raises:
        UserError: A file or folder is missing, or an annotation file broken.
    """
    found = Findings()
    for split in splits:
        for source in sources(cfg, split):
            check_source(source, cfg, found)
    found.conclude()


def check_source(
    source: Source, cfg: Config, found: Findings, full: bool = False
) -> Data:
    """Checks the files of one data set, if a check knows how it reads them.

    Args:
        source: The data set.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all samples will be opened afterwards.
    """
    if tar_data.is_in_tar(source):
        return tar_data.check(source, cfg, found, full)
    check = CHECKS.get(source.owner())
    if check is None or not _as_known(source):
        debug(f'{source.split} data: {source.name} is not checked: unknown')
        return Data()
    if source.elsewhere():
        debug(f'{source.split} data: not on this disk, not checked')
        return Data()
    found.where = f'{source.split} data'
    if not _check_exists(source, found):
        return Data()
    return check(source, cfg, found, full)


def _as_known(source: Source) -> bool:
    """Whether a class leaves the form of the files as it is."""
    owner = source.owner()
    if owner == coco_data.POSE:
        return source.owner('_load_annotations') == owner
    if owner == 'mmdet.CocoDataset':
        return source.owner('parse_data_info') == owner
    return True


def _check_exists(source: Source, found: Findings) -> bool:
    """Whether the files and folders of a data set exist."""
    paths = [source.ann_file()] if source.cfg.get('ann_file') else []
    prefix = source.cfg.get('data_prefix') or {}
    folders = [prefix] if isinstance(prefix, str) else prefix.values()
    paths += [source.path(folder) for folder in folders if folder is not None]
    if not source.cfg.get('ann_file') and source.is_a('mmpretrain.ImageNet'):
        paths.append(class_folders.picture_folder(source))
    for path in filter(None, paths):
        if not os.path.exists(path):
            found.error('missing files', _missing(path, source))
            return False
    return True


def _missing(path: str, source: Source) -> str:
    """That something is missing, and how to get it."""
    names = [name for name in SOURCES if source.is_a(name)]
    known = SOURCES[names[0]] if names else video_lists.source(Path(path))
    where, layout = known or (f'the data of {source.name}', '')
    message = f'{path!r} does not exist. Get {where}'
    if layout:
        message += (
            f'; or make small stand-in data with tools/make_toyworld.py '
            f'--layouts {layout}'
        )
    return message
