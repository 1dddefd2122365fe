"""Data sets of mmdet and mmpose that read COCO's files."""

import os
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from . import checked, coco_files, models
from .coco_fields import Wanted
from .datasets import Source, is_remote, metainfo, type_name
from .findings import Findings
from .pictures import error_text
from .samples import Data, Task

POSE = 'mmpose.BaseCocoStyleDataset'


def format_only(cfg: Config, split: str) -> bool:
    """Whether a split is predicted on and not measured."""
    if split == 'train':
        return False
    metrics = cfg.get(f'{split}_evaluator') or []
    metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    return any(isinstance(m, dict) and m.get('format_only') for m in metrics)


def wanted(source: Source, cfg: Config) -> Wanted:
    """What a data set reads from its file."""
    meta = metainfo(source)
    annotated = not format_only(cfg, source.split)
    if source.owner() == POSE:
        joints = meta.get('num_keypoints')
        known = source.owner('parse_data_info') == POSE
        return Wanted(
            joints=joints if known and joints else 0, annotated=annotated
        )
    filters: dict[str, Any] = {}
    if not source.cfg.get('test_mode'):
        filters = source.cfg.get('filter_cfg') or {}
    return Wanted(
        classes=meta.get('classes'),
        subset='classes' in (source.cfg.get('metainfo') or {}),
        masks=models.masks(cfg.get('model')),
        annotated=annotated,
        min_size=filters.get('min_size', 0),
        filter_empty=filters.get('filter_empty_gt', False),
    )


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks the file of a data set, its pictures and its boxes.

    Args:
        source: The data set.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all pictures will be opened afterwards.
    """
    path = source.ann_file()
    need = wanted(source, cfg)
    contents = None if full else checked.recall(path, need, found)
    if contents is None:
        own = Findings(found.where, found.keep)
        contents = coco_files.check_file(path, need, own)
        found.extend(own)
        if contents is not None:
            checked.remember(path, need, contents, own)
    if contents is None:
        return Data()
    folder = source.prefix('img', 'img_path') or ''
    headers = 0 if full else coco_files.FIRST_HEADERS
    turns = source.turns()
    coco_files.check_pictures(contents, folder, found, headers, turns)
    _check_meta(source, found)
    _check_steps(source, cfg, found)
    length: int | None = contents.kept
    if source.cfg.get('bbox_file'):
        boxes = source.cfg['bbox_file']
        if not is_remote(boxes):
            coco_files.check_boxes(boxes, contents.pictures, found)
        length = None
    return Data(
        length,
        need.classes,
        contents.counts,
        list(_tasks(contents.pictures, folder, turns)) if full else (),
        contents.boxes,
        pictures={key: value[0] for key, value in contents.pictures.items()},
        order=contents.names if need.classes else None,
    )


def _reason(source: Source) -> str:
    """Why meta information of joints cannot be read."""
    try:
        source.kind._load_metainfo(source.cfg['metainfo'])  # type: ignore
    except Exception as error:
        return f'{type(error).__name__}: {error_text(error)}'
    return 'it is empty'


def _check_swaps(source: Source, meta: Any, found: Findings) -> None:
    """Checks which joints change places in a mirrored picture."""
    swaps = list(meta.get('flip_indices') or ())
    names = [meta['keypoint_id2name'][i] for i in range(len(swaps))]
    for name, other in zip(names, swaps):
        if swaps[other] != names.index(name):
            found.error(
                'swap',
                f'metainfo of {source.name}: {name!r} has '
                f'swap={names[other]!r}, but {names[other]!r} has '
                f'{names[swaps[other]]!r}; wanted pairs',
            )
        twin = name.replace('left', 'right')
        if twin != name and twin in names and other == names.index(name):
            found.warn(
                'swap',
                f'metainfo of {source.name}: {name!r} has no swap, so a '
                f'mirrored picture has it on the wrong side; swap={twin!r} '
                f'is meant?',
            )


def _tasks(
    pictures: dict[Any, tuple[str, int, int]], folder: str, turns: bool
) -> Iterator[Task]:
    for name, width, height in pictures.values():
        path = os.path.join(folder, name)
        yield Task('picture', path, (width, height, turns))


def _check_steps(source: Source, cfg: Config, found: Findings) -> None:
    """Checks that masks are loaded where a Mask R-CNN learns them."""
    steps = [s for s in source.steps() if type_name(s) == 'LoadAnnotations']
    two_stages = any(
        key == 'roi_head' and 'mask_head' in part
        for _, key, part in models.parts(cfg.get('model'))
    )
    if source.split != 'train' or not two_stages or not steps:
        return
    if not any(step.get('with_mask') for step in steps):
        found.error(
            'masks are not loaded',
            'the model has a mask_head, but LoadAnnotations of the pipeline '
            'loads no masks; set with_mask=True',
        )


def _check_meta(source: Source, found: Findings) -> None:
    """Checks that the meta information of joints is of one set of them."""
    meta = metainfo(source)
    joints = meta.get('num_keypoints')
    if source.owner() == POSE:
        if not meta and source.cfg.get('metainfo'):
            found.error(
                'metainfo',
                f'metainfo of {source.name} cannot be read '
                f'({_reason(source)}); wanted keypoint_info, skeleton_info, '
                f'joint_weights and sigmas, with names of joints in swap and '
                f'link',
            )
        _check_swaps(source, meta, found)
    for key in ('sigmas', 'dataset_keypoint_weights'):
        values = meta.get(key)
        if joints and values is not None and len(values) not in (0, joints):
            found.error(
                'metainfo',
                f'metainfo of {source.name} has {joints} joints, but '
                f'{len(values)} {key}; wanted one for each',
            )
