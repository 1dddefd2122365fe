"""The COCO instance layout.

``annotations/instances_{train,val}2017.json``, ``train2017/``, ``val2017/``,
with COCO's own categories, so that configs for COCO run on it as they are.
The annotation files are written last, see :mod:`.folder`.
"""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from .categories import CATEGORY_IDS, categories
from .folder import Folder, write_json
from .render import Rendered, render
from .scene import Scene
from .workers import spread
from .world import SPLITS, World

_ANNOTATIONS = {s: f'annotations/instances_{s}2017.json' for s in SPLITS}
LEAST_AREA = 8  # pixels; what shows less is not annotated
_LICENSES = [{'id': 1, 'name': 'Public domain', 'url': ''}]


def image_id(split: str, index: int) -> int:
    """Identity of a picture, also the number in its file name."""
    return 1 + index + 1_000_000 * SPLITS.index(split)


def file_name(image: int) -> str:
    """COCO's name for the file of a picture."""
    return f'{image:012d}.jpg'


def annotate(scene: Scene, rendered: Rendered, image: int) -> list[dict]:
    """The annotations of one picture: things, then crowds.

    Args:
        scene: The scene.
        rendered: What :func:`render` made of it.
        image: Identity of the picture.
    """
    groups: dict[int, list[int]] = {}
    alone: list[tuple[str, bool, NDArray[np.bool_]]] = []
    for index, thing in enumerate(scene.things):
        if thing.crowd is None:
            alone.append((thing.name, False, rendered.mask(index)))
        else:
            groups.setdefault(thing.crowd, []).append(index)
    for members in groups.values():
        name = scene.things[members[0]].name
        alone.append((name, True, np.isin(rendered.owner, members)))
    annotations: list[dict] = []
    for name, crowd, mask in alone:
        if np.count_nonzero(mask) < LEAST_AREA:
            continue
        annotation = {
            'id': 100 * image + len(annotations),
            'image_id': image,
            'category_id': CATEGORY_IDS[name],
            'iscrowd': int(crowd),
            **_outline(mask, crowd),
        }
        annotations.append(annotation)
    return annotations


def _outline(mask: NDArray[np.bool_], crowd: bool) -> dict:
    """Box, area and segmentation of a mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = int(rows[0]), int(columns[0])
    bottom, right = int(rows[-1]) + 1, int(columns[-1]) + 1
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


def _write_one(
    world: World, root: Path, key: tuple[str, int]
) -> tuple[str, dict, list[dict]]:
    """Renders a picture into its file; returns split, image, annotations."""
    split, index = key
    scene = world.scene(split, index)
    rendered = render(scene)
    number = image_id(split, index)
    name = file_name(number)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    _, data = cv2.imencode('.jpg', rendered.image[..., ::-1], quality)
    (root / f'{split}2017' / name).write_bytes(data.tobytes())
    record = {
        'id': number,
        'file_name': name,
        'width': scene.width,
        'height': scene.height,
        'license': 1,
    }
    return split, record, annotate(scene, rendered, number)


def write_coco(
    root: Path | str,
    world: World,
    workers: int = 1,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> bool:
    """Writes a toy world in COCO's layout.

    Args:
        root: The folder that configs call ``data/coco``.
        world: What to write.
        workers: Number of processes; the files do not depend on it.
        force: Write even if the same or another toy world is there.
        progress: Called with the pictures done and their number.

    Returns:
        False if exactly this world was there already, complete, and nothing
        was done.

    Raises:
        FileExistsError: Data of another origin is there, or another toy world
            and not ``force``. Nothing was changed.
    """
    root = Path(root)
    if not _folder(root).prepare(world, force):
        return False
    write = partial(_write_one, world, root)
    files: dict[str, dict] = {
        split: {
            'info': world.info(),
            'licenses': _LICENSES,
            'images': [],
            'annotations': [],
            'categories': categories(),
        }
        for split in SPLITS
    }

    total = sum(world.count(split) for split in SPLITS)
    with closing(spread(write, world.keys(), workers)) as results:
        for done, (split, image, annotations) in enumerate(results, 1):
            files[split]['images'].append(image)
            files[split]['annotations'] += annotations
            if progress:
                progress(done, total)
    for split, content in files.items():
        write_json(root / _ANNOTATIONS[split], content)
    return True


def _folder(root: Path) -> Folder:
    """What a folder of this layout consists of."""

    def names(split: str, info: dict) -> list[str]:
        n = range(info.get(f'images_{split}', 0))
        return [file_name(image_id(split, index)) for index in n]

    pictures = {f'{split}2017': partial(names, split) for split in SPLITS}
    return Folder(root, _ANNOTATIONS.values(), pictures)
