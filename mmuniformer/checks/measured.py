"""What metrics measure, and what waits for it."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import METRICS

from .datasets import full_name, resolve
from .findings import Findings, debug
from .pictures import brief

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
    elif name == 'mmdet.VOCMetric':
        if metric.get('metric', 'mAP') != 'mAP' or metric.get('iou_thrs'):
            return None
        prefix, keys = 'pascal_voc', ['mAP', 'AP50']
    elif name in (
        'mmpretrain.SingleLabelMetric',
        'mmpretrain.MultiLabelMetric',
    ):
        average = metric.get('average', 'macro')
        if metric.get('thrs', 0.0) != 0.0 or average != 'macro':
            return None
        items = metric.get('items', ('precision', 'recall', 'f1-score'))
        prefix = name[11:].partition('LabelMetric')[0].lower() + '-label'
        keys = list(items)
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
