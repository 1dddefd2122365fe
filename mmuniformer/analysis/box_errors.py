"""Boxes of a dumped test: AP of each class, kinds of mistakes, sizes.

Kinds of mistakes are those of TIDE (Bolya et al., 2020): by which a box fails
to be right. Here they are counted, at the score that gives the best F1; TIDE
itself weighs them by what they cost in AP.
"""

from collections import Counter
from typing import Any

import numpy as np
from mmengine.config import Config

from . import charts

BACKGROUND, RIGHT = 0.1, 0.5  # IoU
ASPECTS = (('tall, below 1:2', 0.0, 0.5), ('1:2 to 2:1', 0.5, 2.0),
           ('wide, above 2:1', 2.0, np.inf))  # fmt: skip
PRECISION_POINTS = np.linspace(0, 1, 101)


def look_at_boxes(
    cfg: Config, samples: list[dict[str, Any]], names: list[str]
) -> tuple[dict, dict, list]:
    """Tables, charts and the pictures with most mistakes."""
    from pycocotools.cocoeval import COCOeval

    truth, rows = _coco(cfg, samples, names)
    found = truth.loadRes(rows) if rows else truth.loadRes([_nothing(truth)])
    run = COCOeval(truth, found, 'bbox')
    run.params.imgIds = [s['img_id'] for s in samples]
    run.params.maxDets = [1, 10, 100]
    run.evaluate()
    run.accumulate()
    precision = run.eval['precision']  # IoU, recall, class, area, detections
    counts = Counter(a['category_id'] for a in truth.dataset['annotations'])
    tables: dict[str, list[dict[str, Any]]] = {'Classes': []}
    curves = {}
    for k, category in enumerate(run.params.catIds):
        name = truth.cats[category]['name']
        row = dict(name=name, count=counts[category])
        for title, area, iou in (
            ('AP', 0, slice(None)), ('AP50', 0, 0), ('AP75', 0, 5),
            ('small', 1, slice(None)), ('medium', 2, slice(None)),
            ('large', 3, slice(None)),
        ):  # fmt: skip
            row[title] = mean(precision[iou, :, k, area, 2])
        if counts[category] or row['AP'] is not None:
            tables['Classes'].append(row)
            curves[name] = PRECISION_POINTS, precision[0, :, k, 0, 2]
    threshold, score_rows = thresholds(run)
    tables['Score thresholds (IoU 0.5)'] = score_rows
    kinds, mistakes, aspects = errors(truth, rows, samples, threshold)
    tables[f'Mistakes at score {threshold:.2f}'] = kinds
    tables['Found, by aspect'] = aspects
    worst = sorted(range(len(samples)), key=lambda i: -sum(mistakes[i]))
    lines = [
        (i, f'{mistakes[i][0]} wrong, {mistakes[i][1]} missed')
        for i in worst
        if sum(mistakes[i])
    ]
    drawn = {
        'precision_recall.png': charts.lines(curves, 'recall', 'precision'),
        'mistakes.png': charts.bars(
            [row['kind'] for row in kinds],
            [row['count'] for row in kinds],
            'boxes',
        ),
    }
    return tables, drawn, lines


def mean(values: np.ndarray) -> float | None:
    """The mean of what COCO's evaluation knows; -1 is unknown."""
    known = values[values > -1]
    return float(known.mean()) if known.size else None


def _nothing(truth: Any) -> dict[str, Any]:
    image, category = next(iter(truth.imgs)), next(iter(truth.cats))
    return dict(
        image_id=image, category_id=category, bbox=[0, 0, 0, 0], score=0.0
    )


def _coco(
    cfg: Config, samples: list[dict[str, Any]], names: list[str]
) -> tuple[Any, list[dict[str, Any]]]:
    """The annotations, and the detections as COCO wants them."""
    from pycocotools.coco import COCO

    metric = cfg.test_evaluator
    metric = metric[0] if isinstance(metric, (list, tuple)) else metric
    truth = COCO(metric['ann_file'])
    ids = {category['name']: i for i, category in truth.cats.items()}
    rows = []
    for sample in samples:
        things = sample['pred_instances']
        for box, score, label in zip(
            np.asarray(things['bboxes']).tolist(),
            np.asarray(things['scores']).tolist(),
            np.asarray(things['labels']).tolist(),
        ):
            x1, y1, x2, y2 = box
            rows.append(
                dict(
                    image_id=sample['img_id'],
                    category_id=ids[names[label]],
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    score=score,
                )
            )
    return truth, rows


def thresholds(run: Any) -> tuple[float, list[dict[str, Any]]]:
    """Precision and recall over scores, and the score of the best F1."""
    pairs, total = [], 0
    for image in filter(None, run.evalImgs):
        if image['aRng'] != run.params.areaRng[0]:
            continue
        ignored = image['dtIgnore'][0]
        right = image['dtMatches'][0] > 0
        scores = np.array(image['dtScores'])
        pairs += list(zip(scores[~ignored], right[~ignored]))
        total += int((np.array(image['gtIgnore']) == 0).sum())
    if not pairs or not total:
        return 0.0, []
    scores, right = map(np.array, zip(*sorted(pairs, reverse=True)))
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / total
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1.argmax())
    places = [
        int((scores >= level).sum()) - 1
        for level in (0.05, 0.1, 0.3, 0.5, 0.7, 0.9)
    ]
    rows = [
        dict(
            score=float(scores[i]),
            precision=float(precision[i]),
            recall=float(recall[i]),
            F1=float(f1[i]),
        )
        for i in sorted({*places, best}, reverse=True)
        if i >= 0
    ]
    return float(scores[best]), rows


def errors(
    truth: Any,
    rows: list[dict[str, Any]],
    samples: list[dict[str, Any]],
    threshold: float,
) -> tuple[list[dict], list[tuple[int, int]], list[dict]]:
    """Counts kinds of mistakes.

    Returns:
        Rows of kinds; wrong boxes and missed things of each picture; rows of
        how many things of each aspect were found.
    """
    by_image: dict[Any, list[dict]] = {}
    for row in rows:
        if row['score'] >= threshold:
            by_image.setdefault(row['image_id'], []).append(row)
    kinds: Counter[str] = Counter()
    mistakes = []
    seen: list[tuple[float, bool]] = []
    for sample in samples:
        things = [
            a
            for a in truth.imgToAnns.get(sample['img_id'], [])
            if not a.get('iscrowd')
        ]
        own, hit = compare(things, by_image.get(sample['img_id'], []))
        kinds.update(own)
        wrong = sum(own.values()) - own['right']
        mistakes.append((wrong, hit.count(False)))
        kinds['missed'] += hit.count(False)
        seen += [
            (a['bbox'][2] / max(a['bbox'][3], 1e-9), h)
            for a, h in zip(things, hit)
        ]
    total = max(sum(n for kind, n in kinds.items() if kind != 'right'), 1)
    order = ('place', 'class', 'both', 'twice', 'background', 'missed')
    table = [
        dict(kind=kind, count=kinds[kind], share=kinds[kind] / total)
        for kind in order
    ]
    aspects = []
    for title, low, high in ASPECTS:
        inside = [hit for aspect, hit in seen if low <= aspect < high]
        found = sum(inside) / len(inside) if inside else None
        aspects.append(dict(aspect=title, count=len(inside), found=found))
    return table, mistakes, aspects


def compare(
    things: list[dict], boxes: list[dict]
) -> tuple[Counter[str], list[bool]]:
    """Kinds of the boxes of a picture, and which things were found.

    The surest box comes first; 'place': right but for its place; 'class':
    right but for its class; 'both'; 'twice': of a thing that was found
    before; 'background': of nothing.
    """
    from pycocotools import mask as coco

    kinds: Counter[str] = Counter()
    hit = [False] * len(things)
    boxes = sorted(boxes, key=lambda row: -row['score'])
    if not boxes or not things:
        kinds['background'] += len(boxes)
        return kinds, hit
    overlap = np.asarray(
        coco.iou(
            np.array([b['bbox'] for b in boxes], float),
            np.array([a['bbox'] for a in things], float),
            [0] * len(things),
        )
    )
    classes = np.array([a['category_id'] for a in things])
    for box, row in zip(boxes, overlap):
        same = np.where(classes == box['category_id'], row, 0)
        other = np.where(classes != box['category_id'], row, 0)
        free = np.where(hit, 0, same)
        if free.max() >= RIGHT:
            hit[int(free.argmax())] = True
            kinds['right'] += 1
        elif same.max() >= RIGHT:
            kinds['twice'] += 1
        elif other.max() >= RIGHT:
            kinds['class'] += 1
        elif same.max() >= BACKGROUND:
            kinds['place'] += 1
        elif other.max() >= BACKGROUND:
            kinds['both'] += 1
        else:
            kinds['background'] += 1
    return kinds, hit
