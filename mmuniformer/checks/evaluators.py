"""Checks of what measures, against the data, the model and the hooks."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import METRICS

from ..errors import UserError
from . import coco_files, models
from .coco_fields import Wanted
from .datasets import (
    Source,
    full_name,
    is_remote,
    metainfo,
    resolve,
    type_name,
)
from .findings import Findings, debug
from .pictures import brief
from .samples import Data

COCO_METRICS = ('mmdet.CocoMetric', 'mmpose.CocoMetric')
SINGLE = ('mmpretrain.Accuracy', 'mmpretrain.SingleLabelMetric')
SEG_KEYS = {
    'mIoU': ['mIoU', 'mAcc'],
    'mDice': ['mDice', 'mAcc'],
    'mFscore': ['mFscore', 'mPrecision', 'mRecall'],
}
POSE_KEYS = [
    'AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75',
    'AR (M)', 'AR (L)', 'AP(E)', 'AP(M)', 'AP(H)',
]  # fmt: skip
LESS = ('EPE', 'NME')
PCK_KEYS = {'bbox': 'PCK', 'head': 'PCKh', 'torso': 'tPCK'}


def metrics_of(cfg: Config, split: str) -> Iterator[tuple[str, Any, str]]:
    """Option, config and class of each metric of a split."""
    option = f'{split}_evaluator'
    evaluator = cfg.get(option)
    if isinstance(evaluator, dict) and 'metrics' in evaluator:
        evaluator = evaluator['metrics']
    many = isinstance(evaluator, (list, tuple))
    for place, metric in enumerate(evaluator if many else [evaluator]):
        if isinstance(metric, dict) and metric.get('type'):
            kind = resolve(METRICS, metric['type'], cfg.get('default_scope'))
            name = full_name(kind) if isinstance(kind, type) else ''
            yield f'{option}.{place}' if many else option, metric, name


def check_evaluator(
    cfg: Config,
    split: str,
    data: Sequence[tuple[Source, Data]],
    found: Findings,
) -> None:
    """Checks each metric of a split.

    Args:
        cfg: Whole config.
        split: 'val' or 'test'.
        data: The data sets of the split and what they hold.
        found: Gets what is wrong.
    """
    classes = [n for _, n in models.class_counts(cfg.get('model'))]
    for option, metric, name in metrics_of(cfg, split):
        found.where = option
        if name in COCO_METRICS:
            _check_coco(metric, name, data, found)
        if name == 'mmdet.CocoMetric':
            _check_masks(metric, cfg, found)
        elif name in SINGLE and _many_labels(cfg):
            found.error(
                'metric',
                f'{type_name(metric)} wants one class for each picture, but '
                f"the head is for several; wanted 'AveragePrecision' or "
                f"'MultiLabelMetric'",
            )
        elif name == 'mmpretrain.Accuracy' and classes:
            topk = metric.get('topk', 1)
            topk = [topk] if isinstance(topk, int) else list(topk)
            if max(topk) > min(classes):
                good = tuple(k for k in topk if k <= min(classes)) or (1,)
                found.error(
                    'topk',
                    f'topk={tuple(topk)}, but the model has {min(classes)} '
                    f'classes; set {option}.topk={good!r}',
                )
        elif name == 'mmpose.PCKAccuracy':
            _check_head_size(metric, data, found)
        elif name == 'mmseg.IoUMetric':
            _check_label_maps(metric, data, found)
            wrong = set(metric.get('iou_metrics') or ['mIoU']) - set(SEG_KEYS)
            if wrong:
                found.error(
                    'iou_metrics',
                    f'iou_metrics={sorted(wrong)}; wanted some of '
                    f'{", ".join(SEG_KEYS)}',
                )
        number = metric.get('num_classes')
        if name.startswith('mmpretrain.') and number and classes:
            if number != min(classes):
                found.error(
                    'num_classes',
                    f'num_classes={number}, but the model has '
                    f'{min(classes)}; wanted the same',
                )
    found.where = ''


def _many_labels(cfg: Config) -> bool:
    """Whether a classifier gives several classes for each picture."""
    head = (cfg.get('model') or {}).get('head')
    return type_name(head).startswith('MultiLabel')


def _check_head_size(
    metric: Any, data: Sequence[tuple[Source, Data]], found: Findings
) -> None:
    """Checks that heads have a size where distances are measured by it."""
    base = 'mmpose.BaseCocoStyleDataset'
    plain = [s for s, _ in data if s.owner('parse_data_info') == base]
    known = all(s.owner('_load_annotations') == base for s in plain)
    if plain and known and 'head' in str(metric.get('norm_item', '')):
        found.error(
            'norm_item',
            f"norm_item has 'head', but {plain[0].name} has no sizes of "
            f"heads; wanted 'bbox' or 'torso'",
        )


def _check_label_maps(
    metric: Any, data: Sequence[tuple[Source, Data]], found: Findings
) -> None:
    """Checks that label maps are loaded where they are compared with."""
    if metric.get('format_only'):
        return
    for source, _ in data:
        names = {type_name(step) for step in source.steps()}
        if (
            names
            and source.is_a('mmseg.BaseSegDataset')
            and not any('Annotations' in name for name in names)
        ):
            found.error(
                'no label maps',
                f'{source.name} loads no label maps (no LoadAnnotations in '
                f'its pipeline) to measure by; add it, or set '
                f'format_only=True',
            )


def _check_masks(metric: Any, cfg: Config, found: Findings) -> None:
    """Checks that the model gives what is measured."""
    kinds = metric.get('metric', 'bbox')
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    wrong = [
        kind
        for kind in kinds
        if kind not in ('bbox', 'segm', 'proposal', 'proposal_fast')
    ]
    if wrong:
        found.error(
            'metric',
            f'metric={wrong[0]!r}; wanted some of bbox, segm, proposal, '
            f'proposal_fast',
        )
    if 'segm' in kinds and models.only_boxes(cfg.get('model')):
        found.error(
            'metric',
            "metric has 'segm', but the model has no mask_head; set "
            "metric='bbox'",
        )


def _check_coco(
    metric: Any,
    name: str,
    data: Sequence[tuple[Source, Data]],
    found: Findings,
) -> None:
    """Checks the annotation file of a metric against that of the data."""
    path = metric.get('ann_file')
    if not path or is_remote(path):
        return
    if not os.path.isfile(path):
        root = data[0][0].path(path) if data else ''
        below = f'; did you mean {root!r}?' if os.path.isfile(root) else ''
        found.error(
            'evaluator file',
            f'ann_file={path!r} does not exist{below} (data_root of the '
            f'dataset is not put before it)',
        )
        return
    pictures: dict[Any, str] = {}
    for source, one in data:
        same = os.path.realpath(source.ann_file()) == os.path.realpath(path)
        if same and len(data) == 1:
            return  # checked with the data set
        if not one.pictures:
            debug(f'{path!r} is not compared with {source.name}')
            return
        pictures.update(one.pictures)
    try:
        own = coco_files.image_names(path)
        content = coco_files.read_json(path)
    except UserError as error:
        found.error('evaluator file', str(error))
        return
    files = ', '.join(repr(source.ann_file()) for source, _ in data)
    missing = [key for key in pictures if key not in own]
    if missing and pictures:
        found.error(
            'evaluator file',
            f'ann_file={path!r} lacks {len(missing)} of the '
            f'{len(pictures)} pictures of the data ({files}), such as image '
            f'id {missing[0]!r}; wanted the file of the data set',
        )
        return
    other = [
        key
        for key, file in pictures.items()
        if os.path.basename(own[key]) != os.path.basename(file)
    ]
    if other:
        found.error(
            'evaluator file',
            f'ann_file={path!r} has {own[other[0]]!r} as image '
            f'{other[0]!r}, but the data ({files}) '
            f'{pictures[other[0]]!r}; wanted the file of the data set',
        )
        return
    if len(own) > len(pictures):
        found.warn(
            'evaluator file',
            f'ann_file={path!r} has {len(own)} pictures, the data '
            f'{len(pictures)}: the others count as missed',
        )
    if name == 'mmdet.CocoMetric' and data:
        source = data[0][0]
        classes = metainfo(source).get('classes')
        names = content.get('categories') or []
        wanted = Wanted(classes=classes, subset=True)
        before = found.where
        found.where = f'{before}: ann_file={path!r}'
        coco_files.check_categories(names, (), wanted, found)
        found.where = before


def keys_of(metric: Any, name: str) -> list[str] | None:
    """Names of the values that a metric gives, or None if unknown."""
    keys: list[str]
    if name == 'mmdet.CocoMetric':
        if metric.get('classwise') or metric.get('metric_items'):
            return None
        prefix: str | None = 'coco'
        kinds = metric.get('metric', 'bbox')
        keys = []
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind not in ('bbox', 'segm'):
                return None
            items = ['mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l']
            keys += [f'{kind}_{item}' for item in items]
    elif name == 'mmseg.IoUMetric':
        prefix = None
        kinds = metric.get('iou_metrics') or ['mIoU']
        keys = ['aAcc', *(k for kind in kinds for k in SEG_KEYS.get(kind, []))]
    elif name == 'mmpose.CocoMetric':
        prefix, keys = 'coco', list(POSE_KEYS)
    elif name == 'mmpose.PCKAccuracy':
        items = metric.get('norm_item', 'bbox')
        items = [items] if isinstance(items, str) else items
        prefix, keys = None, [PCK_KEYS.get(item, item) for item in items]
    elif name in ('mmpose.AUC', 'mmpose.EPE', 'mmpose.NME'):
        prefix, keys = None, [name.partition('.')[2]]
    elif name == 'mmpretrain.Accuracy':
        if metric.get('thrs', 0.0) != 0.0:
            return None
        topk = metric.get('topk', 1)
        topk = [topk] if isinstance(topk, int) else topk
        prefix, keys = 'accuracy', [f'top{k}' for k in topk]
    elif name == 'mmpretrain.SingleLabelMetric':
        average = metric.get('average', 'macro')
        if metric.get('thrs', 0.0) != 0.0 or average != 'macro':
            return None
        items = metric.get('items', ('precision', 'recall', 'f1-score'))
        prefix, keys = 'single-label', list(items)
    elif name == 'mmpretrain.AveragePrecision':
        if metric.get('average', 'macro') is None:
            return None
        prefix, keys = 'multi-label', ['mAP']
    elif name == 'mmaction.AccMetric':
        if metric.get('metric_list') or metric.get('metric_options'):
            return None
        prefix, keys = 'acc', ['top1', 'top5', 'mean1']
    else:
        return None
    prefix = metric.get('prefix') or prefix
    return [f'{prefix}/{key}' if prefix else key for key in keys]


def check_save_best(cfg: Config, found: Findings) -> None:
    """Checks that what hooks and schedules wait for is measured.

    mmengine would stop with a KeyError after the first validation. The best
    checkpoint is then chosen by what is measured, with a warning.

    Args:
        cfg: Whole config; ``save_best`` is changed in place.
        found: Gets what is wrong.
    """
    keys: list[str] = []
    for _, metric, name in metrics_of(cfg, 'val'):
        own = keys_of(metric, name)
        if own is None:
            debug(f'{name or metric["type"]!r}: its values are not known')
            return
        keys += own
    if not keys:
        return
    _fit_save_best(cfg, keys, found)
    for option, key in _waiting(cfg):
        if key not in keys:
            found.error(
                'monitor',
                f'{option}={key!r}: val_evaluator does not measure it; '
                f'wanted one of {brief(keys, 8)}',
            )


def _fit_save_best(cfg: Config, keys: list[str], found: Findings) -> None:
    """Has the best checkpoint chosen by a value that is measured."""
    hooks = cfg.get('default_hooks') or {}
    hook = hooks.get('checkpoint') or {}
    best = hook.get('save_best')
    wanted = [best] if isinstance(best, str) else list(best or ())
    good = [key for key in wanted if key == 'auto' or key in keys]
    if good == wanted:
        return
    new = good[0] if len(good) == 1 else good or keys[0]
    found.warn(
        'save_best',
        f'default_hooks.checkpoint.save_best={best!r}: val_evaluator does '
        f'not measure it; the best checkpoint is chosen by {new!r}. It '
        f'measures {brief(keys, 8)}',
    )
    hook['save_best'] = new
    if not good or isinstance(hook.get('rule'), list):
        hook['rule'] = 'less' if keys[0] in LESS else 'greater'


def _waiting(cfg: Config) -> Iterator[tuple[str, Any]]:
    """Options that name a measured value."""
    for place, hook in enumerate(cfg.get('custom_hooks') or ()):
        if isinstance(hook, dict) and hook.get('monitor'):
            yield f'custom_hooks.{place}.monitor', hook['monitor']
    schedulers = cfg.get('param_scheduler') or ()
    if isinstance(schedulers, dict):
        schedulers = [schedulers]
    for place, scheduler in enumerate(schedulers):
        if isinstance(scheduler, dict) and 'monitor' in scheduler:
            if str(scheduler['monitor']) not in ('loss', 'train_loss'):
                yield (
                    f'param_scheduler.{place}.monitor',
                    scheduler['monitor'],
                )
