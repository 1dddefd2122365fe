"""Checks of what measures, against the data, the model and the hooks."""

import os
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS

from ..errors import UserError
from ..tasks import HOSTS
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
from .measured import SEG_KEYS, metrics_of
from .samples import Data

COCO_METRICS = ('mmdet.CocoMetric', 'mmpose.CocoMetric')
SINGLE = ('mmpretrain.Accuracy', 'mmpretrain.SingleLabelMetric')
# The option that says where predictions are written.
WRITTEN = {
    'mmdet.CocoMetric': 'outfile_prefix',
    'mmdet.LVISMetric': 'outfile_prefix',
    'mmpose.CocoMetric': 'outfile_prefix',
    'mmseg.IoUMetric': 'output_dir',
}
# Whose metrics measure a library's models, too.
ALIKE = {
    'mmdet': ('mmaction',),
    'mmaction': ('mmpretrain',),
    'mmpretrain': ('mmaction',),
}
# Metrics that compare with labels of pictures.
LABELLED = tuple(
    f'mmpretrain.{name}'
    for name in (
        'Accuracy', 'SingleLabelMetric', 'ConfusionMatrix',
        'AveragePrecision', 'MultiLabelMetric',
    )
)  # fmt: skip
# What metrics without an annotation file read of a sample: the key, the step
# that keeps it, and whether it does so by itself.
TRUTH = {
    'mmdet.CocoMetric': ('instances', 'PackDetInputs', False),
    'mmpose.CocoMetric': ('raw_ann_info', 'PackPoseInputs', True),
}


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
        _check_task(metric, name, cfg, found)
        _check_format(metric, name, option, found)
        _check_truth(metric, name, data, found)
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
            if max(topk) > min(classes) or min(topk) < 1:
                good = tuple(k for k in topk if 1 <= k <= min(classes))
                good = good or (1,)
                found.error(
                    'topk',
                    f'topk={tuple(topk)}, but the model has {min(classes)} '
                    f'classes; set {option}.topk={good!r}',
                )
        elif name == 'mmpose.PCKAccuracy':
            _check_head_size(metric, data, found)
        elif name == 'mmdet.VOCMetric':
            _check_loaded(metric, data, 'mmdet.BaseDetDataset', found)
        elif name == 'mmseg.IoUMetric':
            _check_loaded(metric, data, 'mmseg.BaseSegDataset', found)
            _check_resized(data, found)
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


def _check_task(metric: Any, name: str, cfg: Config, found: Findings) -> None:
    """Checks that a metric is not one of quite another task.

    mmaction2 measures detectors of mmdet, and shares what mmpretrain counts.
    """
    model = cfg.get('model') or {}
    kind = resolve(MODELS, model.get('type'), cfg.get('default_scope'))
    task = full_name(kind).partition('.')[0] if kind else ''
    own = name.partition('.')[0]
    if {task, own} <= HOSTS.keys() and own not in (task, *ALIKE.get(task, ())):
        found.error(
            'metric',
            f'{type_name(metric)} is a metric of {own}, but '
            f'{type_name(model)} a model of {task}; wanted one that measures '
            f'what it gives',
        )


def check_heads(cfg: Config, found: Findings) -> None:
    """Checks what classifiers measure in training."""
    for option, key, part in models.parts(cfg.get('model')):
        topk = part.get('topk', 1)
        topk = [topk] if isinstance(topk, int) else list(topk or ())
        number = part.get('num_classes')
        if key == 'head' and part.get('cal_acc') and number:
            if max(topk, default=1) > number:
                found.error(
                    'topk',
                    f'{option}.topk={tuple(topk)}, but it has {number} '
                    f'classes; set {option}.topk=(1,)',
                )


def _check_format(
    metric: Any, name: str, option: str, found: Findings
) -> None:
    """Checks that predictions that are not measured are written."""
    key = WRITTEN.get(name)
    if key and metric.get('format_only') and not metric.get(key):
        found.error(
            'format_only',
            f'format_only=True, but {key} does not say where the predictions '
            f'go; set {option}.{key}=results',
        )


def _check_truth(
    metric: Any,
    name: str,
    data: Sequence[tuple[Source, Data]],
    found: Findings,
) -> None:
    """Checks that there is something to measure by."""
    for source, _ in data:
        if (
            name in LABELLED
            and source.is_a('mmpretrain.BaseDataset')
            and not source.cfg.get('with_label', True)
        ):
            found.error(
                'no labels',
                f'{type_name(metric)} measures by labels, but {source.name} '
                f"has none (with_label=False); wanted labels, or 'DumpResults'"
                f' to write the predictions',
            )
        key, step, default = TRUTH.get(name, ('', '', False))
        packs = [s for s in source.steps() if type_name(s) == step]
        if not packs or metric.get('ann_file') or metric.get('format_only'):
            continue
        keys = packs[0].get('meta_keys')
        if key not in keys if keys is not None else not default:
            found.error(
                'nothing to measure by',
                f'no ann_file, and {step} in the pipeline of {source.name} '
                f'keeps no {key!r}; set ann_file to the annotations of the '
                f'data set',
            )


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


def _check_loaded(
    metric: Any,
    data: Sequence[tuple[Source, Data]],
    base: str,
    found: Findings,
) -> None:
    """Checks that annotations are loaded where they are compared with."""
    if metric.get('format_only'):
        return
    for source, _ in data:
        names = {type_name(step) for step in source.steps()}
        if (
            names
            and source.is_a(base)
            and not any('Annotations' in name for name in names)
        ):
            found.error(
                'no annotations',
                f'{source.name} loads nothing to measure by (no '
                f'LoadAnnotations in its pipeline); add it, or only write '
                f'predictions',
            )


def _check_resized(
    data: Sequence[tuple[Source, Data]], found: Findings
) -> None:
    """Checks that label maps keep the size of the picture.

    Predictions are scaled back to it before they are measured.
    """
    for source, _ in data:
        names = [type_name(step) for step in source.steps()]
        if 'LoadAnnotations' not in names or 'Resize' not in names:
            continue
        if names.index('LoadAnnotations') < names.index('Resize'):
            found.warn(
                'resized label maps',
                f'LoadAnnotations comes before Resize in the pipeline of '
                f'{source.name}: label maps are resized, too, but measured '
                f'against predictions of the size of the picture; wanted it '
                f'behind Resize',
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
