"""Boxes of people, from files of several kinds."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError

WANTED = (
    'wanted JSON lines of predict, a dict of paths to boxes, or detections '
    'or annotations of COCO'
)


def read(path: str) -> dict[str, np.ndarray]:
    """Reads boxes.

    Args:
        path: JSON lines of a detector's ``predict``; or JSON: a dict of
            paths, or names, to lists of x1, y1, x2, y2 and, if it is known,
            score; COCO's list of detections, whose ``image_id`` is the
            number that a picture is called; or COCO's annotations.

    Returns:
        Boxes (N, 5), x1, y1, x2, y2, score, by path, name or number.

    Raises:
        UserError: It is something else.
    """
    if not Path(path).is_file():
        raise UserError(f'boxes={path!r}: no such file')
    text = Path(path).read_text(encoding='utf-8')
    try:
        rows = _parse(text)
        found: dict[str, list[Any]] = {}
        for name, box in rows:
            boxes = found.setdefault(str(name), [])
            if box is not None:
                boxes.append([*box, 1.0][:5])
        return {
            name: np.array(boxes, np.float32).reshape(-1, 5)
            for name, boxes in found.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f'boxes={path!r}: {error!r}; {WANTED}') from error


def _parse(text: str) -> list[tuple[Any, Any]]:
    """Pairs of a picture and a box; None tells of a picture without one."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        content = None
        lines = [json.loads(line) for line in text.splitlines() if line]
    else:
        lines = [content] if _is_record(content) else []
    if lines:
        return [pair for line in lines for pair in _of_record(line)]
    if isinstance(content, list):
        return [
            (row['image_id'], [*_corners(row['bbox']), row.get('score', 1.0)])
            for row in content
            if row.get('category_id', 1) == 1
        ]
    if isinstance(content, dict) and 'annotations' in content:
        names = {image['id']: image for image in content['images']}
        pairs: list[tuple[Any, Any]] = [
            (image['file_name'], None) for image in names.values()
        ]
        for row in content['annotations']:
            if row.get('category_id', 1) == 1 and not row.get('iscrowd'):
                name = names[row['image_id']]['file_name']
                pairs.append((name, _corners(row['bbox'])))
        return pairs
    if isinstance(content, dict):
        return [
            pair
            for name, boxes in content.items()
            for pair in [(name, None), *((name, _row(b)) for b in boxes)]
        ]
    raise ValueError('neither a list nor a dict')


def _is_record(content: Any) -> bool:
    return isinstance(content, dict) and 'objects' in content


def _of_record(line: Any) -> list[tuple[Any, Any]]:
    """Boxes of people in a line of a detector's ``predict``."""
    people = [
        (line['source'], [*thing['box'], thing['score']])
        for thing in line['objects']
        if thing['name'] in ('person', '0')
    ]
    return [(line['source'], None), *people]


def _corners(box: Any) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y + height]


def _row(box: Any) -> list[float]:
    if len(box) not in (4, 5):
        raise ValueError(f'{box!r} is no x1, y1, x2, y2[, score]')
    return list(map(float, box))


def find(boxes: dict[str, np.ndarray], path: str) -> np.ndarray | None:
    """Boxes of a picture, by its path, an end of it, or its number."""
    place = Path(path)
    whole = os.path.abspath(path)
    parts = Path(whole).parts
    ends = ['/'.join(parts[i:]) for i in range(1, len(parts))]
    keys = [path, whole, *ends, place.stem]
    if place.stem.isdecimal():
        keys.append(str(int(place.stem)))
    return next((boxes[key] for key in keys if key in boxes), None)
