"""A dumped test, looked at: which classes, which mistakes, which pictures.

The scores of the whole are computed by the metrics of the config, offline,
as mmengine's ``Evaluator`` does; the rest by what is in the dump.
"""

import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope

from ..errors import UserError
from ..prediction.models import dataset_meta
from ..tasks import HOSTS, resolve
from . import charts


class Report(NamedTuple):
    """What is known of a test.

    Attributes:
        scores: Metrics of the whole, by the host's names.
        tables: Rows, as dicts, by the title of the table.
        charts: Functions that draw into a file, by its name.
        worst: Indices of the worst pictures, and why.
    """

    scores: dict[str, float]
    tables: dict[str, list[dict[str, Any]]]
    charts: dict[str, Any]
    worst: list[tuple[int, str]]


def load(path: str) -> list[dict[str, Any]]:
    """Data samples that ``tools/test.py --out`` has written.

    Args:
        path: A file of one's own: pickles can run code.

    Raises:
        UserError: It is something else.
    """
    try:
        with open(path, 'rb') as file:
            samples = pickle.load(file)
    except (OSError, pickle.UnpicklingError, EOFError) as error:
        raise UserError(f'RESULTS={path!r}: {error}') from error
    if not isinstance(samples, list) or not samples:
        raise UserError(
            f'RESULTS={path!r}: wanted a file of tools/test.py --out'
        )
    return samples


def evaluate(cfg: Config, samples: list[dict[str, Any]]) -> Report:
    """Looks at a dumped test.

    Args:
        cfg: The config that was tested.
        samples: As of :func:`load`.

    Raises:
        UserError: They are of another task than the config.
    """
    scope = cfg.get('default_scope')
    init_default_scope(scope)
    meta = dataset_meta(cfg)
    task = HOSTS.get(scope)
    if task is None or task.result not in samples[0]:
        raise UserError(
            f'RESULTS: they have {", ".join(samples[0])}; the config is of '
            f'{scope}'
        )
    metric = cfg.test_evaluator
    metric = metric if isinstance(metric, (list, tuple)) else [metric]
    evaluator = Evaluator([m for m in metric if 'Dump' not in m['type']])
    evaluator.dataset_meta = meta
    scores = evaluator.offline_evaluate(samples)
    names = list(meta.get('classes') or ())
    tables, drawn, worst = resolve(task.judge)(cfg, samples, names)
    return Report(scores, tables, drawn, worst)


def name_of(names: list[str], label: int) -> str:
    """A class's name, or its number."""
    return names[label] if label < len(names) else str(label)


def look_at_classes(
    cfg: Config, samples: list[dict[str, Any]], names: list[str]
) -> tuple[dict, dict, list]:
    """Confusion, accuracy of each class, and the surest mistakes."""
    scores = np.stack(
        [torch.as_tensor(s['pred_score']).double() for s in samples]
    )
    truth = np.array([int(np.ravel(s['gt_label'])[0]) for s in samples])
    labels = scores.argmax(1)
    count = scores.shape[1]
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (truth, labels), 1)
    rows = [
        dict(
            name=name_of(names, k),
            count=int(matrix[k].sum()),
            accuracy=share(matrix[k, k], matrix[k].sum()),
            precision=share(matrix[k, k], matrix[:, k].sum()),
            taken_for=name_of(names, most(matrix[k], k)),
        )
        for k in range(count)
        if matrix[k].sum() or matrix[:, k].sum()
    ]
    shifted = np.exp(scores - scores.max(1, keepdims=True))
    sure = shifted.max(1) / shifted.sum(1)
    wrong = [int(i) for i in np.argsort(-sure) if labels[i] != truth[i]]
    worst = [
        (
            i,
            f'{name_of(names, truth[i])}, taken for '
            f'{name_of(names, labels[i])}',
        )
        for i in wrong
    ]
    title = 'Classes'
    return (
        {title: rows},
        {'confusion.png': charts.confusion(matrix, names)},
        worst,
    )


def most(row: np.ndarray, besides: int) -> int:
    """The other class that a class is most often taken for."""
    others = row.copy()
    others[besides] = -1
    return int(others.argmax())


def share(part: Any, whole: Any) -> float | None:
    """A ratio; None of nothing."""
    return float(part) / float(whole) if whole else None


def look_at_regions(
    cfg: Config, samples: list[dict[str, Any]], names: list[str]
) -> tuple[dict, dict, list]:
    """IoU and accuracy of each class in pixels, and the worst pictures."""
    count = len(names) or 256
    matrix = np.zeros((count, count), np.int64)
    quality = []
    for sample in samples:
        found = np.asarray(sample['pred_sem_seg']['data']).ravel()
        truth = np.asarray(sample['gt_sem_seg']['data']).ravel()
        valid = (truth < count) & (found < count)
        codes = count * truth[valid].astype(np.int64) + found[valid]
        own = np.bincount(codes, minlength=count**2).reshape(count, count)
        matrix += own
        quality.append(share(np.trace(own), own.sum()) or 0.0)
    meet = np.diag(matrix)
    truth_sum, found_sum = matrix.sum(1), matrix.sum(0)
    rows = [
        dict(
            name=name_of(names, k),
            pixels=int(truth_sum[k]),
            iou=share(meet[k], truth_sum[k] + found_sum[k] - meet[k]),
            accuracy=share(meet[k], truth_sum[k]),
            precision=share(meet[k], found_sum[k]),
            taken_for=name_of(names, most(matrix[k], k)),
        )
        for k in range(count)
        if truth_sum[k] or found_sum[k]
    ]
    order = np.argsort(quality, kind='stable')
    worst = [(int(i), f'{100 * quality[i]:.1f} % right') for i in order]
    used = [k for k in range(count) if truth_sum[k] or found_sum[k]]
    small = matrix[np.ix_(used, used)]
    chart = charts.confusion(small, [name_of(names, k) for k in used])
    return {'Classes': rows}, {'confusion.png': chart}, worst


def look_at_joints(
    cfg: Config, samples: list[dict[str, Any]], names: list[str]
) -> tuple[dict, dict, list]:
    """Similarity of each joint, of people whose joints are annotated.

    Each annotated person is compared with the best of the predictions in its
    picture.
    """
    from pycocotools.coco import COCO

    metric = cfg.test_evaluator
    metric = metric[0] if isinstance(metric, (list, tuple)) else metric
    coco = COCO(metric['ann_file'])
    meta = dataset_meta(cfg)
    sigmas = np.asarray(meta['sigmas'])
    joints = [meta['keypoint_id2name'][k] for k in range(len(sigmas))]
    found: dict[Any, list[tuple[int, np.ndarray]]] = {}
    for index, sample in enumerate(samples):
        points = np.asarray(sample['pred_instances']['keypoints'])[0]
        found.setdefault(sample['img_id'], []).append((index, points))
    kept, worst = [], []
    for person in coco.dataset['annotations']:
        truth = np.array(person['keypoints'], float).reshape(-1, 3)
        if not truth[:, 2].any() or person['image_id'] not in found:
            continue
        best, values = -1.0, np.zeros(len(sigmas))
        index = 0
        for place, points in found[person['image_id']]:
            away = ((points - truth[:, :2]) ** 2).sum(1)
            scale = 2 * (2 * sigmas) ** 2 * max(person['area'], 1)
            own = np.exp(-away / scale)
            mean = own[truth[:, 2] > 0].mean()
            if mean > best:
                best, values, index = mean, own, place
        kept.append(np.where(truth[:, 2] > 0, values, np.nan))
        worst.append((best, index))
    table = np.array(kept).reshape(-1, len(sigmas))
    rows = [
        dict(
            name=joint,
            count=int((~np.isnan(table[:, k])).sum()),
            similarity=mean_or_none(table[:, k]),
        )
        for k, joint in enumerate(joints)
    ]
    worst.sort()
    lines = [(index, f'OKS {value:.2f}') for value, index in worst]
    heights = [row['similarity'] or 0.0 for row in rows]
    chart = charts.bars(joints, heights, 'object key point similarity')
    return {'Joints': rows}, {'joints.png': chart}, lines


def mean_or_none(values: np.ndarray) -> float | None:
    """The mean of what is known."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def image_path(sample: dict[str, Any]) -> str | None:
    """Where the picture of a data sample is, if it says so."""
    path = sample.get('img_path')
    return path if path and Path(path).is_file() else None
