"""What each picture and object of a COCO file may hold, in one pass."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from .findings import Findings

# A polygon this many pictures away from its picture is a mistake; its mask
# would take gigabytes.
FAR = 10
NUMBERS = (int, float)


class Wanted(NamedTuple):
    """What will be read from a file.

    Attributes:
        classes: Names of the classes; objects of others are left out.
        subset: Whether the file may have more classes than these.
        joints: Key points of each object, 0 for any number of them; None
            where nothing reads them.
        masks: Whether masks are learned or measured.
        annotated: Whether objects are needed.
        min_size: Smaller pictures are left out.
        filter_empty: Pictures without an object are left out.
    """

    classes: Sequence[str] | None = None
    subset: bool = False
    joints: int | None = None
    masks: bool = False
    annotated: bool = True
    min_size: int = 0
    filter_empty: bool = False


class Contents(NamedTuple):
    """What a file holds, as far as others want to know.

    Attributes:
        pictures: (file name, width, height) by id.
        names: Names of the categories that are used, in the file's order.
        counts: Objects that are kept, by name.
        boxes: (width, height) of those.
        kept: Pictures or, with key points, objects that are left to read.
        without_mask: Objects that have none.
    """

    pictures: dict[Any, tuple[str, int, int]]
    names: list[str]
    counts: dict[str, int]
    boxes: list[tuple[float, float]]
    kept: int
    without_mask: int


def finite(values: Any, count: int | None = None) -> bool:
    """Whether a list has numbers alone, none infinite, and so many."""
    try:
        # One sum in C: a NaN or an infinity stays, a text raises.
        return sum(values) * 0 == 0 and count in (None, len(values))
    except TypeError:
        return False


def _key(value: Any) -> Any:
    """An id, or None if it is something that cannot be one."""
    return value if isinstance(value, (int, str, float)) else None


def check_images(
    images: Any, found: Findings
) -> dict[Any, tuple[str, int, int]]:
    """Checks the pictures of a file; returns name and size of the good."""
    good: dict[Any, tuple[str, int, int]] = {}
    for place, image in enumerate(images):
        if not isinstance(image, dict) or _key(image.get('id')) is None:
            found.error('image', f'images[{place}] has no id: {image!r:.80}')
            continue
        where = f'image {image["id"]!r}: '
        name = image.get('file_name')
        size = image.get('width'), image.get('height')
        if not isinstance(name, str) or not name:
            found.error(
                'file_name', f'{where}file_name={name!r}, wanted a path'
            )
        elif not all(
            isinstance(n, NUMBERS) and 0 < n < 1e9 and n == int(n)
            for n in size
        ):
            found.error(
                'image size',
                f'{where}width={size[0]!r}, height={size[1]!r}; wanted the '
                f'pixels of {name!r}',
            )
        elif image['id'] in good:
            found.error('image id twice', f'{where}given twice; wanted one')
        else:
            good[image['id']] = name, image['width'], image['height']
    return good


def check_objects(
    annotations: Any,
    images: dict[Any, tuple[str, int, int]],
    names: dict[Any, str],
    wanted: Wanted,
    found: Findings,
) -> Contents:
    """Checks the objects of a file.

    Args:
        annotations: The objects.
        images: Name and size by id of the pictures.
        names: Name by id of the categories that are used.
        wanted: What will be read.
        found: Gets what is wrong.
    """
    counts: Counter[str] = Counter()
    boxes: list[tuple[float, float]] = []
    used: set[Any] = set()
    ids: set[Any] = set()
    without_mask = 0
    pose = wanted.joints is not None
    for place, ann in enumerate(annotations):
        if not isinstance(ann, dict):
            found.error(
                'annotation', f'annotations[{place}]={ann!r:.60}: no object'
            )
            continue
        where = f'annotation {ann.get("id")!r}: '
        number = _key(ann.get('id'))
        if number is None or number in ids:
            text = 'no id' if number is None else 'its id is given twice'
            found.error('annotation id', f'{where}{text}; wanted one each')
        ids.add(number)
        image = images.get(_key(ann.get('image_id')))
        if image is None:
            found.error(
                'image_id',
                f'{where}image_id={ann.get("image_id")!r} is not in images',
            )
            continue
        name = names.get(_key(ann.get('category_id')))
        if name is None and not pose:
            continue  # its class is left out, see check_categories
        if pose and 'bbox' not in ann:
            found.warn('no box', f'{where}no bbox; mmpose leaves it out')
            continue
        fits = _check_box(ann, where, image, found)
        if not _check_rest(ann, where, image, wanted, found) or not fits:
            continue
        if ann.get('ignore') and not pose:
            continue
        if pose and not _has_joints(ann):
            continue
        mask = mask_of(ann)
        without_mask += not mask
        counts[str(name)] += 1
        boxes.append((ann['bbox'][2], ann['bbox'][3]))
        used.add(ann['image_id'])
    large = [
        image
        for image, (_, width, height) in images.items()
        if min(width, height) >= wanted.min_size
        and (image in used or not wanted.filter_empty)
    ]
    kept = len(boxes) if pose else len(large)
    return Contents(
        images,
        list(names.values()),
        dict(counts),
        boxes,
        kept,
        without_mask,
    )


def _check_box(
    ann: dict[str, Any],
    where: str,
    image: tuple[str, int, int],
    found: Findings,
) -> bool:
    """Whether an object has a box that hosts keep; faults are noted."""
    box = ann.get('bbox')
    if not isinstance(box, (list, tuple)) or not finite(box, 4):
        found.error(
            'bbox', f'{where}bbox={box!r:.80}, wanted [x, y, width, height]'
        )
        return False
    x, y, width, height = box
    if width < 0 or height < 0:
        found.error(
            'bbox',
            f'{where}bbox={box!r:.80}: negative size; wanted '
            f'[x, y, width, height]',
        )
        return False
    inside_x = min(x + width, image[1]) - max(x, 0)
    inside_y = min(y + height, image[2]) - max(y, 0)
    if inside_x <= 0 or inside_y <= 0:
        found.warn(
            'box outside',
            f'{where}bbox={box!r:.80} has no area in the picture of '
            f'{image[1]} x {image[2]}; the object is left out',
        )
        return False
    if width < 1 or height < 1:
        found.warn(
            'small box',
            f'{where}bbox={box!r:.80}: less than a pixel; mmdet leaves the '
            f'object out',
        )
        return False
    if x + width > 1.1 * image[1] + 1 or y + height > 1.1 * image[2] + 1:
        found.warn(
            'box over the edge',
            f'{where}bbox={box!r:.80} ends outside the picture of {image[1]} '
            f'x {image[2]}; wanted x, y, width, height, not two corners',
        )
    return True


def _check_rest(
    ann: dict[str, Any],
    where: str,
    image: tuple[str, int, int],
    wanted: Wanted,
    found: Findings,
) -> bool:
    """Whether an object is kept, by its other fields."""
    good = True
    area = ann.get('area')
    if area is not None and not (
        isinstance(area, NUMBERS) and area * 0 == 0 and area >= 0
    ):
        found.error(
            'area', f'{where}area={area!r:.40}, wanted a number or none'
        )
        good = False
    elif area == 0 and wanted.joints is None:
        found.warn(
            'area of 0', f'{where}area=0 with a box; the object is left out'
        )
        good = False
    crowd = ann.get('iscrowd')
    if crowd is not None and crowd not in (0, 1):
        found.error('iscrowd', f'{where}iscrowd={crowd!r:.40}, wanted 0 or 1')
        good = False
    mask = mask_of(ann)
    if mask:
        text = _mask_fault(mask, image)
        if text:
            found.error('segmentation', f'{where}segmentation: {text}')
            good = False
        elif isinstance(mask, list) and any(
            len(polygon) < 6 or len(polygon) % 2 for polygon in mask
        ):
            found.warn(
                'polygon',
                f'{where}a polygon without x and y of three points; hosts '
                f'leave it out',
            )
    if wanted.joints is not None:
        good &= _check_joints(ann, where, image, wanted.joints, found)
    return good


def mask_of(ann: dict[str, Any]) -> Any:
    """The mask of an object; None for none, and for polygons of no point."""
    mask = ann.get('segmentation')
    return (
        None if isinstance(mask, list) and mask == [[]] * len(mask) else mask
    )


def _mask_fault(mask: Any, image: tuple[str, int, int]) -> str:
    """What is wrong with a mask, in words."""
    if isinstance(mask, dict):
        size = mask.get('size')
        if not mask.get('counts'):
            return 'a run-length code without counts, wanted them'
        if list(size or ()) != [image[2], image[1]]:
            return (
                f'a run-length code of size {size!r}, wanted the size '
                f'of the picture, [{image[2]}, {image[1]}]'
            )
        counts = mask['counts']
        if isinstance(counts, list) and (
            not finite(counts)
            or min(counts) < 0
            or sum(counts) != image[1] * image[2]
        ):
            return 'wanted counts that sum up to the pixels of the picture'
        if not isinstance(counts, (str, bytes, list)):
            return f'counts={counts!r:.40}, wanted text or a list'
        return ''
    if not isinstance(mask, list):
        return f'{mask!r:.60}, wanted polygons or a run-length code'
    far = FAR * max(image[1:])
    for polygon in mask:
        if not isinstance(polygon, list) or not finite(polygon):
            return (
                f'{polygon!r:.60}, wanted a list of finite numbers x1, y1, '
                f'x2, y2, ... for each polygon'
            )
        if len(polygon) < 4:
            return (
                f'a polygon of {len(polygon)} numbers, wanted x and y of '
                f'three points or more'
            )
        if max(polygon) > far or min(polygon) < -far:
            return (
                f'a polygon with coordinates up to {max(polygon):g} for a '
                f'picture of {image[1]} x {image[2]}; wanted pixels'
            )
    return ''


def _check_joints(
    ann: dict[str, Any],
    where: str,
    image: tuple[str, int, int],
    joints: int,
    found: Findings,
) -> bool:
    """Whether the key points of an object can be read."""
    points = ann.get('keypoints')
    if 'keypoints' not in ann:
        return True  # such objects are left out
    form = (
        f'{3 * joints}: x, y and visibility of the {joints} joints that '
        f'the data set has'
    )
    if not isinstance(points, (list, tuple)) or not finite(points):
        found.error(
            'keypoints',
            f'{where}keypoints={points!r:.60}: no list of finite numbers, '
            f'wanted {form}',
        )
        return False
    if joints and len(points) not in (0, 3 * joints):
        found.error(
            'keypoints',
            f'{where}{len(points)} numbers in keypoints, wanted {form}',
        )
        return False
    strange = [v for v in points[2::3] if v not in (0, 1, 2)]
    if strange:
        note = found.error if min(strange) < 0 else found.warn
        note(
            'visibility',
            f'{where}visibility {strange[0]!r} in keypoints, wanted 0 (not '
            f'labelled), 1 (hidden) or 2 (visible)',
        )
        return min(strange) >= 0
    size = max(image[1:])
    if points and (max(points) > 2 * size or min(points) < -size):
        found.warn(
            'joint outside',
            f'{where}keypoints from {min(points):g} to {max(points):g} in a '
            f'picture of {image[1]} x {image[2]}; wanted pixels',
        )
    number = ann.get('num_keypoints')
    labelled = sum(v > 0 for v in points[2::3])
    if number is not None and (
        not isinstance(number, int) or (number == 0) != (labelled == 0)
    ):
        found.warn(
            'num_keypoints',
            f'{where}num_keypoints={number!r}, but {labelled} are labelled; '
            f'objects with 0 are left out',
        )
    return True


def _has_joints(ann: dict[str, Any]) -> bool:
    """Whether mmpose keeps an object."""
    points = ann.get('keypoints')
    if not points or ann.get('iscrowd') or max(points) <= 0:
        return False
    return ann.get('num_keypoints', 1) != 0
