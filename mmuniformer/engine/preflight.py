"""Checks of a config's files, before any long work starts."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DATASETS

from .. import checkpoint as files
from .. import published
from ..errors import UserError
from ..models.pretrained import (
    cached_path,
    is_url,
    local_path,
    pretrained_cfg,
)
from . import class_folders, coco_files, video_lists

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
# Heads with one output per class of the data, where they are in models.
HEADS: tuple[str, ...] = (
    'head',
    'cls_head',
    'bbox_head',
    'mask_head',
    'decode_head',
)
HEADS += ('auxiliary_head', 'data_preprocessor', 'blending', 'augments')
# Larger annotation files are only looked at from both ends.
FULL_CHECK_BYTES = 64 * 2**20
TIMEOUT_SECONDS = 10


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
        for dataset in _datasets(cfg.get(f'{split}_dataloader')):
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


def _datasets(loader: Any) -> Iterator[dict[str, Any]]:
    """The data sets of a loader, out of their wrappers."""
    todo = [loader['dataset']] if loader else []
    while todo:
        dataset = todo.pop()
        inner = dataset.get('datasets') or [dataset.get('dataset')]
        if inner[0] is None:
            yield dataset
        else:
            todo += inner


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
    heads = list(_class_counts(cfg.model, 'model'))
    first: tuple[str, list[str]] | None = None
    for split in splits:
        for dataset in _datasets(cfg.get(f'{split}_dataloader')):
            video_lists.check_classes(dataset, split, heads)
            names = _classes(dataset, cfg.get('default_scope'), split)
            classes = len(names or ())
            if names:
                first = first or (split, list(names))
                class_folders.check_same(split, list(names), *first)
            for option, count in heads:
                if names and classes != count:
                    raise UserError(
                        f'{split} data: {dataset["type"]} has {classes} '
                        f'classes, but {option}={count}; set '
                        f'{option}={classes}, or metainfo.classes of the '
                        f'dataset to the names of the {count} classes'
                    )


def _class_counts(cfg: Any, name: str) -> Iterator[tuple[str, int]]:
    """Option and value of each head's num_classes."""
    for key, value in cfg.items() if isinstance(cfg, dict) else ():
        parts = {f'{name}.{key}': value}
        if isinstance(value, (list, tuple)):
            parts = {f'{name}.{key}.{i}': v for i, v in enumerate(value)}
        for option, part in parts.items():
            if not isinstance(part, dict):
                continue
            if key in HEADS and 'num_classes' in part:
                yield f'{option}.num_classes', part['num_classes']
            yield from _class_counts(part, option)


def _classes(dataset: dict[str, Any], scope: str | None, split: str) -> Any:
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


def _check_coco(
    path: Path, split: str, dataset: dict[str, Any], cfg: Config
) -> None:
    """Checks an annotation file and, for top-down models, their boxes."""
    content = _check_json(path)
    if content:
        pose = cfg.get('default_scope') == 'mmpose'
        head = cfg.model.get('head') or {}
        joints = head.get('out_channels') if pose else None
        coco_files.check_annotations(
            path,
            content,
            classes=_classes(dataset, cfg.get('default_scope'), split),
            subset='classes' in (dataset.get('metainfo') or {}),
            joints=joints,
        )
    if dataset.get('bbox_file'):
        coco_files.check_boxes(Path(dataset['bbox_file']), split, content)


def _check_json(path: Path) -> dict[str, Any] | None:
    """Reads COCO annotations, unless they are very long.

    Raises:
        UserError: ``path`` is broken or something else.
    """
    try:
        if path.stat().st_size > FULL_CHECK_BYTES:
            with open(path, 'rb') as file:
                start = file.read(64).lstrip()[:1]
                file.seek(-64, 2)
                if start != b'{' or file.read().rstrip()[-1:] != b'}':
                    raise ValueError('cut off or not JSON')
            return None
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(
            f'ann_file={str(path)!r}: broken, {path.stat().st_size} bytes '
            f'({error}); wanted a JSON file, copy or download it again'
        ) from error
    for key in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or key not in content:
            raise UserError(
                f'ann_file={str(path)!r}: no {key!r} in it; wanted COCO '
                f'annotations with images, annotations and categories'
            )
    return content


def check_checkpoint(path: str | None) -> None:
    """Checks that a weight file to test or resume from can be read.

    Raises:
        UserError: It is missing or damaged.
    """
    if path and not is_url(path):
        files.unwrap(files.read(path))


def check_load_from(cfg: Config) -> None:
    """Checks that the model that training starts or goes on from is there.

    Args:
        cfg: Whole config.

    Raises:
        UserError: The file of ``load_from`` is missing or damaged.
    """
    path = cfg.get('load_from')
    if path and not cfg.get('resume') and not is_url(path):
        if not Path(path).is_file():
            raise UserError(
                f'checkpoint={path!r}: no such file; the config starts from '
                f'these weights: train them first, or give others by '
                f'--cfg-options load_from=PATH'
            )
    check_checkpoint(path)


def check_pretrained(cfg: Config) -> None:
    """Checks that the backbone's starting weights can be had.

    On the toy world a file that cannot be downloaded is replaced by random
    weights, with a warning: a rehearsal does not need it.

    Args:
        cfg: Whole config; changed in place on the toy world.

    Raises:
        UserError: The file is missing, damaged, or cannot be downloaded.
    """
    backbone = cfg.model.get('backbone') or {}
    source, others = pretrained_cfg(backbone.get('init_cfg'))
    checkpoint = source.get('checkpoint')
    if not checkpoint or cfg.get('load_from') or cfg.get('resume'):
        return
    if not is_url(checkpoint):
        release = published.find(checkpoint)
        if release and release.url and not local_path(checkpoint).is_file():
            raise UserError(
                f'init_cfg: checkpoint={checkpoint!r}: no such file; get it '
                f'at {release.url}, or set '
                f'model.backbone.init_cfg.checkpoint to weights of your own'
            )
        check_checkpoint(checkpoint)
        return
    path = cached_path(checkpoint)
    if path.is_file():
        check_checkpoint(str(path))
        return
    try:
        request = urllib.request.Request(checkpoint, method='HEAD')
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
    except OSError as error:
        message = (
            f'init_cfg: {checkpoint} cannot be downloaded ({error}); put the '
            f'file at {path}, or set '
            f'model.backbone.init_cfg.checkpoint to its path'
        )
        if not _is_toyworld(cfg):
            raise UserError(message) from error
        print_log(
            f'{message}. This is the toy world: going on WITHOUT pre-trained '
            f'weights, from random ones',
            logger='current',
            level=30,
        )
        cfg.model.backbone.init_cfg = others or None


def _is_toyworld(cfg: Config) -> bool:
    """Whether the training annotations were made by mmuniformer.toyworld."""
    for dataset in _datasets(cfg.get('train_dataloader')):
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
