"""The COCO instance layout.

``annotations/instances_{train,val}2017.json``, ``train2017/``, ``val2017/``,
with COCO's own categories, so that configs for COCO run on it as they are.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from .categories import CATEGORY_IDS, categories
from .layout import Layout, Shot
from .render import Rendered
from .scene import Scene
from .world import SPLITS, World

LEAST_AREA = 8  # pixels; what shows less is not annotated
_LICENSES = [{'id': 1, 'name': 'Public domain', 'url': ''}]


def image_id(split: str, index: int) -> int:
    """Identity of a picture, also the number in its file name."""
    return 1 + index + 1_000_000 * SPLITS.index(split)


def file_name(image: int) -> str:
    """COCO's name for the file of a picture."""
    return f'{image:012d}.jpg'


def instances(
    scene: Scene, rendered: Rendered, image: int
) -> Iterator[tuple[dict, list[int], NDArray[np.bool_]]]:
    """What is to be annotated in a picture: things, then crowds.

    Args:
        scene: The scene.
        rendered: What :func:`render` made of it.
        image: Identity of the picture.

    Yields:
        The first fields of an annotation, the indices of the things that it
        is about, and their mask.
    """
    crowds: dict[int, list[int]] = {}
    groups: list[list[int]] = []
    for index, thing in enumerate(scene.things):
        if thing.crowd is None:
            groups.append([index])
        else:
            crowds.setdefault(thing.crowd, []).append(index)
    number = 100 * image
    for members in [*groups, *crowds.values()]:
        mask = np.isin(rendered.owner, members)
        if np.count_nonzero(mask) < LEAST_AREA:
            continue
        thing = scene.things[members[0]]
        head = {
            'id': number,
            'image_id': image,
            'category_id': CATEGORY_IDS[thing.name],
            'iscrowd': int(thing.crowd is not None),
        }
        yield head, members, mask
        number += 1


def annotate(scene: Scene, rendered: Rendered, image: int) -> list[dict]:
    """The annotations of one picture.

    Args:
        scene: The scene.
        rendered: What :func:`render` made of it.
        image: Identity of the picture.
    """
    return [
        {**head, **outline(mask, bool(head['iscrowd']))}
        for head, _, mask in instances(scene, rendered, image)
    ]


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1, int(rows[-1]) + 1


def outline(mask: NDArray[np.bool_], crowd: bool) -> dict:
    """Box, area and segmentation of a mask."""
    left, top, right, bottom = bounds(mask)
    segmentation: list | dict
    if crowd:
        segmentation = uncompressed_rle(mask)
    else:
        crop = mask[top:bottom, left:right]
        segmentation = polygons(crop, left, top)
        if not _faithful(segmentation, mask):
            segmentation = compressed_rle(mask)
    return {
        'bbox': [float(n) for n in (left, top, right - left, bottom - top)],
        'area': float(np.count_nonzero(mask)),
        'segmentation': segmentation,
    }


def polygons(
    crop: NDArray[np.bool_], left: int, top: int
) -> list[list[float]]:
    """Outlines of the pieces of a mask; holes are filled.

    Args:
        crop: The mask.
        left: Column of the picture at which the crop begins.
        top: Row of the picture at which the crop begins.
    """
    # OpenCV runs through the centres of the outermost pixels, but a COCO
    # polygon runs along their edges: enlarged four times, these are close.
    fine = crop.astype(np.uint8).repeat(4, 0).repeat(4, 1)
    found, _ = cv2.findContours(
        fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    pieces = []
    for contour in found:
        corners = cv2.approxPolyDP(contour, 2.5, True)[:, 0]
        if len(corners) >= 3:
            points = (corners + 0.5) / 4 + (left, top)
            pieces.append([round(float(n), 2) for n in points.ravel()])
    return pieces


def _faithful(pieces: list[list[float]], mask: NDArray[np.bool_]) -> bool:
    """Whether polygons give back a mask, to an IoU of 0.9."""
    if not pieces:
        return False
    drawn = rle.merge(rle.frPyObjects(pieces, *mask.shape))
    true = rle.encode(np.asfortranarray(mask, np.uint8))
    return bool(rle.iou([drawn], [true], [0])[0, 0] >= 0.9)


def uncompressed_rle(mask: NDArray[np.bool_]) -> dict:
    """Run lengths down the columns, beginning with background."""
    flat = mask.ravel(order='F')
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size])
    counts = ([0] if flat[0] else []) + runs.tolist()
    return {'counts': counts, 'size': list(mask.shape)}


def compressed_rle(mask: NDArray[np.bool_]) -> dict:
    """Run lengths as the text that pycocotools reads."""
    encoded = rle.encode(np.asfortranarray(mask, np.uint8))
    return {'size': encoded['size'], 'counts': encoded['counts'].decode()}


def record(shot: Shot) -> dict:
    """The entry of a picture in ``images``."""
    number = image_id(shot.split, shot.index)
    return {
        'id': number,
        'file_name': file_name(number),
        'width': shot.scene.width,
        'height': shot.scene.height,
        'license': 1,
    }


def contents(
    world: World, cats: list[dict], labels: list[tuple[dict, list[dict]]]
) -> list[dict]:
    """The annotation files of both splits.

    Args:
        world: The world.
        cats: Their ``categories``.
        labels: Record and annotations of each picture.
    """
    files: list[dict] = []
    rest = iter(labels)
    for split in SPLITS:
        part = list(islice(rest, world.count(split)))
        files.append(
            {
                'info': world.info(),
                'licenses': _LICENSES,
                'images': [image for image, _ in part],
                'annotations': [ann for _, anns in part for ann in anns],
                'categories': cats,
            }
        )
    return files


def names(split: str, info: dict) -> list[str]:
    """The pictures of a split of a world."""
    n = range(info.get(f'images_{split}', 0))
    return [file_name(image_id(split, index)) for index in n]


def draw(root: Path, shot: Shot) -> None:
    """Writes a picture."""
    name = file_name(image_id(shot.split, shot.index))
    (root / f'{shot.split}2017' / name).write_bytes(shot.jpeg)


def _label(shot: Shot) -> tuple[dict, list[dict]]:
    number = image_id(shot.split, shot.index)
    return record(shot), annotate(shot.scene, shot.rendered, number)


def _compose(world: World, labels: list) -> list[dict]:
    return contents(world, categories(), labels)


COCO = Layout(
    path='coco',
    files=tuple(f'annotations/instances_{s}2017.json' for s in SPLITS),
    pictures={f'{split}2017': partial(names, split) for split in SPLITS},
    draw=draw,
    label=_label,
    compose=_compose,
)
