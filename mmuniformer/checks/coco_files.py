"""Checks of COCO's files: what hosts leave out in silence or stumble over."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..errors import UserError

BOXES_SOURCE = (
    'the person boxes of the recipes from https://github.com/HRNet/'
    'HRNet-Human-Pose-Estimation (data preparation); or make stand-in data '
    'with tools/make_toyworld.py --layouts keypoints'
)
# Larger annotation files are only looked at from both ends.
FULL_CHECK_BYTES = 64 * 2**20


def read_annotations(path: Path) -> dict[str, Any] | None:
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


def check_annotations(
    path: Path,
    content: dict[str, Any],
    classes: Collection[str] | None = None,
    subset: bool = False,
    joints: int | None = None,
) -> None:
    """Checks that annotations belong to the file, and the file to the model.

    Args:
        path: The annotation file.
        content: What is in it.
        classes: Names of the classes; a data set leaves out all others.
        subset: Whether that may be meant.
        joints: Joints per person that the model predicts.

    Raises:
        UserError: They do not.
    """
    name = f'ann_file={str(path)!r}'
    categories = {c['id']: c.get('name') for c in content['categories']}
    count = len(categories)
    strange = [n for n in categories.values() if n not in (classes or [n])]
    if len(strange) > (count - 1 if subset else 0):
        raise UserError(
            f'{name}: {len(strange)} of its {count} classes, such as '
            f'{strange[0]!r}, are none of the {len(classes or ())} of the '
            f'data set; set metainfo.classes of the dataset to the {count} '
            f'names, and num_classes of the heads to {count}'
        )
    images = {image['id'] for image in content['images']}
    for ann in content['annotations']:
        where = f'{name}: annotation {ann.get("id")}: '
        if ann.get('category_id') not in categories:
            raise UserError(
                f'{where}category_id={ann.get("category_id")!r}, wanted one '
                f'of the {count} ids in categories'
            )
        if ann.get('image_id') not in images:
            raise UserError(
                f'{where}image_id={ann.get("image_id")!r} is not in images'
            )
        numbers = len(ann.get('keypoints') or ())
        if joints and numbers not in (0, 3 * joints):
            raise UserError(
                f'{where}{numbers} numbers in keypoints, wanted '
                f'{3 * joints}: x, y and visibility of the {joints} joints '
                f'that the model predicts'
            )


def check_boxes(
    path: Path, split: str, content: dict[str, Any] | None
) -> None:
    """Checks a file of detected boxes, which top-down models are tested on.

    Args:
        path: The file.
        split: 'val' or 'test'.
        content: The annotations of the same pictures, if they are known.

    Raises:
        UserError: It is missing or broken, or of other pictures.
    """
    name = f'{split} data: bbox_file={str(path)!r}'
    if not path.is_file():
        raise UserError(f'{name} does not exist. Get {BOXES_SOURCE}')
    try:
        boxes = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(
            f'{name}: broken, {path.stat().st_size} bytes ({error}); get '
            f'{BOXES_SOURCE}'
        ) from error
    keys = {'image_id', 'category_id', 'bbox', 'score'}
    if not isinstance(boxes, list) or not all(
        isinstance(box, dict) and keys <= box.keys() for box in boxes
    ):
        raise UserError(
            f'{name}: wanted a list of boxes, each with '
            f'{", ".join(sorted(keys))}'
        )
    if content is None:
        return
    images = {image['id'] for image in content['images']}
    strange = [b['image_id'] for b in boxes if b['image_id'] not in images]
    if strange or not boxes:
        raise UserError(
            f'{name}: {len(strange)} of {len(boxes)} boxes are of pictures '
            f'that ann_file does not have, such as {strange[:3]}'
        )
