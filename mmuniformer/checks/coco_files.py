"""Checks of COCO's files: what hosts leave out in silence or stumble over."""

import difflib
import json
import os
from codecs import BOM_UTF8
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import UserError
from .coco_fields import (
    Contents,
    Wanted,
    check_images,
    check_objects,
    finite,
)
from .findings import Findings
from .pictures import error_text, listing, read_header, spread

BOXES_SOURCE = (
    'the person boxes of the recipes from https://github.com/HRNet/'
    'HRNet-Human-Pose-Estimation (data preparation); or make stand-in data '
    'with tools/make_toyworld.py --layouts keypoints'
)
# Headers that are read at the start of a run.
FIRST_HEADERS = 64


def read_json(path: str | Path) -> Any:
    """Reads a JSON file.

    Raises:
        UserError: It is broken or something else.
    """
    content = Path(path).read_bytes()
    try:
        if content.startswith(BOM_UTF8):
            raise ValueError('it begins with a byte order mark')
        text = content.decode(json.detect_encoding(content), 'surrogatepass')
        del content  # as large as the text
        return json.loads(text)
    except ValueError as error:
        raise UserError(
            f'ann_file={str(path)!r}: broken, {os.path.getsize(path)} bytes '
            f'({error_text(error)}); wanted a JSON file, copy or download it '
            f'again'
        ) from error


def check_file(path: str, wanted: Wanted, found: Findings) -> Contents | None:
    """Checks all that will be read from an annotation file.

    Args:
        path: The file.
        wanted: What will be read.
        found: Gets what is wrong.

    Returns:
        What is in it, unless it is something else.
    """
    try:
        content = read_json(path)
    except UserError as error:
        found.error('annotation file', str(error))
        return None
    return check_content(path, content, wanted, found)


def check_content(
    path: str | Path, content: Any, wanted: Wanted, found: Findings
) -> Contents | None:
    """As :func:`check_file`, of what has been read."""
    name = f'ann_file={str(path)!r}'
    parts = ['images', 'categories', 'annotations']
    if wanted.joints is not None:
        parts.remove('categories')  # one kind of object
    if not wanted.annotated and 'annotations' not in (content or ()):
        parts.remove('annotations')
    for part in parts:
        has = isinstance(content, dict) and part in content
        if not has or not isinstance(content[part], list):
            found.error(
                'annotation file',
                f'{name}: {"no list of" if has else "no"} {part!r} in it; '
                f'wanted COCO annotations with images, annotations and '
                f'categories'
                + (
                    '. Pictures without annotations can be tested with '
                    'test_evaluator.format_only=True'
                    if part == 'annotations'
                    else ''
                ),
            )
            return None
    where, found.where = found.where, f'{found.where}{name}'.strip()
    if where:
        found.where = f'{where}: {name}'
    images = check_images(content['images'], found)
    names = {}
    if 'categories' in content:
        used = {
            ann.get('category_id')
            for ann in content.get('annotations') or ()
            if isinstance(ann, dict)
            and isinstance(ann.get('category_id'), (int, str, float))
        }
        names = check_categories(content['categories'], used, wanted, found)
        if wanted.joints is None:
            _check_category_ids(content, found)
    result = check_objects(
        content.get('annotations') or (), images, names, wanted, found
    )
    if wanted.annotated and not result.kept:
        what = 'object with key points' if wanted.joints else 'picture'
        found.error(
            'nothing left',
            f'{len(content["images"])} pictures and '
            f'{len(content["annotations"])} objects, but no {what} is left '
            f'after the filter (filter_cfg, classes, empty boxes)',
        )
    elif wanted.annotated and content['annotations'] and not result.boxes:
        found.error(
            'nothing left',
            f'none of {len(content["annotations"])} objects is left: wanted '
            f'boxes [x, y, width, height] in pixels',
        )
    if wanted.masks and result.without_mask:
        found.warn(
            'objects without mask',
            f'{result.without_mask} of {len(result.boxes)} objects have no '
            f'segmentation; they keep their box, whose outline stands for '
            f'the mask when masks are measured',
        )
    found.where = where
    return result


def check_categories(
    categories: Iterable[Any],
    used: Collection[Any],
    wanted: Wanted,
    found: Findings,
) -> dict[Any, str]:
    """Checks the classes of a file against those of the data set.

    Args:
        categories: Those of the file.
        used: Ids of those that objects have.
        wanted: The classes of the data set.
        found: Gets what is wrong.

    Returns:
        Name by id of those that are read, in the file's order.
    """
    names: dict[Any, str] = {}
    for category in categories:
        good = isinstance(category, dict) and isinstance(
            category.get('name'), str
        )
        if not good or not isinstance(category.get('id'), (int, str)):
            found.error(
                'category',
                f'category {category!r:.80}: wanted an id and a name',
            )
        elif category['id'] in names:
            found.error(
                'category twice', f'category id {category["id"]!r} given twice'
            )
        else:
            names[category['id']] = category['name']
    if wanted.joints is not None or wanted.classes is None:
        return names
    classes = list(wanted.classes)
    kept = {key: name for key, name in names.items() if name in classes}
    twice = {n for n in kept.values() if list(kept.values()).count(n) > 1}
    for name in sorted(twice):
        found.error(
            'category twice',
            f'two categories are called {name!r}, which shifts the numbers '
            f'of the classes behind them; wanted one',
        )
    strange = [n for i, n in names.items() if n not in classes and i in used]
    missing = [name for name in classes if name not in names.values()]
    left = [name for name in names.values() if name not in classes]
    if names and (not kept or (strange and not wanted.subset)):
        example = (strange or list(names.values()))[0]
        found.error(
            'classes',
            f'{len(strange or names)} of its {len(names)} classes, such as '
            f'{example!r}, are none of the {len(classes)} of the data set; '
            f'set metainfo.classes of the dataset to the {len(names)} names, '
            f'and num_classes of the heads to {len(names)}'
            + (
                f'; the file has no {_brief(missing)}'
                if kept and missing
                else ''
            ),
        )
    elif missing:
        found.error(
            'classes',
            f'class {_brief(missing)} of the data set is not among its '
            f'categories{meant(missing[0], left)}; hosts leave such a class '
            f'out and shift the numbers of those behind it. Correct '
            f'metainfo.classes, or add the category to the file',
        )
    elif list(kept.values()) != classes and not twice:
        found.warn(
            'order of classes',
            f'its categories are in another order ({_brief(kept.values())}) '
            f'than metainfo.classes ({_brief(classes)}); mmdet numbers them '
            f'by the file, so predictions would have wrong names',
        )
    return kept


def _brief(names: Iterable[str]) -> str:
    names = [repr(name) for name in names]
    return ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')


def meant(name: str, others: list[str]) -> str:
    """The one of other names that was meant, in words, or ''."""
    close = difflib.get_close_matches(str(name), others, 1, 0.5)
    return f', which has {close[0]!r}; was it meant?' if close else ''


def _check_category_ids(content: dict[str, Any], found: Findings) -> None:
    ids = {c.get('id') for c in content['categories'] if isinstance(c, dict)}
    for ann in content.get('annotations') or ():
        number = ann.get('category_id') if isinstance(ann, dict) else 0
        known = isinstance(number, (int, str, float)) and number in ids
        if isinstance(ann, dict) and not known:
            found.error(
                'category_id',
                f'annotation {ann.get("id")!r}: category_id={number!r:.40}, '
                f'wanted one of the {len(ids)} ids in categories',
            )


def check_pictures(
    contents: Contents,
    folder: str,
    found: Findings,
    headers: int,
    turns: bool = True,
) -> None:
    """Checks that pictures exist and are of the size that a file says.

    Args:
        contents: What the file says.
        folder: Where the pictures are.
        found: Gets what is wrong.
        headers: How many headers are read.
        turns: Whether EXIF tags count.
    """
    paths = {
        os.path.join(folder, name): (width, height)
        for name, width, height in contents.pictures.values()
    }
    present = listing(paths)
    missing = [path for path in paths if path not in present]
    found.each(
        'missing pictures',
        missing,
        '{} does not exist',
        f'{len(missing)} of {len(paths)} pictures do not exist, such as '
        f'{missing[:1]}; wanted file_name below {folder!r} (data_root and '
        f'data_prefix of the dataset)',
    )
    for path in spread(sorted(present), headers):
        check_header(path, paths[path], found, turns)


def check_header(
    path: str, size: tuple[int, int], found: Findings, turns: bool = True
) -> None:
    """Checks a picture's own size against that of an annotation file."""
    try:
        own, turned, _ = read_header(path, turns)
    except OSError as error:
        found.error(
            'broken picture', f'{path!r} cannot be read: {error_text(error)}'
        )
        return
    if own == size:
        return
    text = (
        f'{path!r} is {own[0]} x {own[1]}, but width and height in the file '
        f'are {size[0]} x {size[1]}'
    )
    if turned and own == size[::-1]:
        text += (
            ': its EXIF tag turns it by a quarter when it is loaded; save it '
            "turned, or load it with color_type='color_ignore_orientation'"
        )
    found.error('picture size', text)


@lru_cache(maxsize=4)
def _names_and_ids(path: str, stamp: float) -> dict[Any, str]:
    images = read_json(path)['images']
    return {image['id']: image.get('file_name', '') for image in images}


def image_names(path: str) -> dict[Any, str]:
    """File names by image id of a COCO file; read once.

    Raises:
        UserError: It is broken or something else.
    """
    try:
        return _names_and_ids(path, os.path.getmtime(path))
    except (KeyError, TypeError, OSError) as error:
        raise UserError(
            f'ann_file={path!r}: no COCO annotations ({error_text(error)})'
        ) from error


def check_boxes(path: str, images: Collection[Any], found: Findings) -> None:
    """Checks a file of detected boxes, which top-down models are tested on.

    Args:
        path: The file.
        images: Ids of the pictures of the annotation file.
        found: Gets what is wrong.
    """
    name = f'bbox_file={path!r}'
    if not os.path.isfile(path):
        found.error('bbox_file', f'{name} does not exist. Get {BOXES_SOURCE}')
        return
    try:
        boxes = json.loads(Path(path).read_bytes())
    except ValueError as error:
        found.error(
            'bbox_file',
            f'{name}: broken, {os.path.getsize(path)} bytes '
            f'({error_text(error)}); get {BOXES_SOURCE}',
        )
        return
    keys = {'image_id', 'category_id', 'bbox', 'score'}
    if not isinstance(boxes, list) or not all(
        isinstance(box, dict) and keys <= box.keys() for box in boxes
    ):
        found.error(
            'bbox_file',
            f'{name}: wanted a list of boxes, each with '
            f'{", ".join(sorted(keys))}',
        )
        return
    for box in boxes:
        for key, count in (('bbox', 4), ('score', None)):
            values = box[key] if count else [box[key]]
            if not isinstance(values, list) or not finite(values[:count]):
                found.error(
                    'bbox_file',
                    f'{name}: {key}={box[key]!r:.60} of image '
                    f'{box["image_id"]!r}; wanted finite numbers',
                )
    strange = [b['image_id'] for b in boxes if b['image_id'] not in images]
    if strange or not boxes:
        found.error(
            'bbox_file',
            f'{name}: {len(strange)} of {len(boxes)} boxes are of pictures '
            f'that ann_file does not have, such as {strange[:3]}',
        )
