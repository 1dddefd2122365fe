"""The COCO key point layout, beside the instances in the same folder.

``annotations/person_keypoints_{train,val}2017.json`` has the people of the
instance files, by the same ids, with 17 joints each;
``person_detection_results`` has boxes such as a detector finds, in the file
that published top-down configs read.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .backdrop import chance, uniform
from .categories import CATEGORY_IDS
from .coco import COCO as _INSTANCES
from .coco import bounds, contents, draw, image_id, instances, outline, record
from .layout import Layout, Shot
from .scene import JOINTS, Person, Scene
from .world import SPLITS, World

PERSON = CATEGORY_IDS['person']
# COCO's limbs; joints are counted from 1.
SKELETON = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13)),
    *((6, 7), (6, 8), (7, 9), (8, 10), (9, 11), (2, 3), (1, 2), (1, 3)),
    *((2, 4), (3, 5), (4, 6), (5, 7)),
)
_FILES = (
    *(f'annotations/person_keypoints_{split}2017.json' for split in SPLITS),
    'person_detection_results/COCO_val2017_detections_AP_H_56_person.json',
)
LEAST_SHARE = 1 / 500  # of the picture; the joints of less are not labelled
_Box = tuple[float, float, float, float]  # left, top, right, bottom


def annotate_people(shot: Shot) -> list[dict]:
    """The annotations of one picture: people, then crowds of people.

    As in COCO, crowds and people that are very small in the picture have no
    labelled joints.
    """
    number = image_id(shot.split, shot.index)
    annotations = []
    for head, members, mask in instances(shot.scene, shot.rendered, number):
        if head['category_id'] != PERSON:
            continue
        joints = np.zeros((len(JOINTS), 3))
        if not head['iscrowd'] and _sizeable(mask):
            joints = shot.rendered.joints[members[0]]
        annotation = {
            **head,
            **outline(mask, bool(head['iscrowd'])),
            'num_keypoints': int(np.count_nonzero(joints[:, 2])),
            'keypoints': [n for joint in joints for n in _plain(*joint)],
        }
        annotations.append(annotation)
    return annotations


def _sizeable(mask: NDArray[np.bool_]) -> bool:
    return bool(np.count_nonzero(mask) >= LEAST_SHARE * mask.size)


def _plain(x: float, y: float, seen: float) -> tuple[float, float, int]:
    """A joint to 1/100 pixel; rounded down, it stays in its pixel."""
    return math.floor(x * 100) / 100, math.floor(y * 100) / 100, int(seen)


def detect(shot: Shot) -> list[dict]:
    """What a detector of people could find in a picture.

    Boxes are a little off, some people are missed, above all small ones and
    members of crowds, some are found twice, and some finds are not people.
    """
    rng = shot.world.rng(shot.split, shot.index, use=1)
    found = [
        {
            'image_id': image_id(shot.split, shot.index),
            'category_id': PERSON,
            'bbox': _jitter(rng, box, reach, shot.scene),
            'score': round(score, 3),
        }
        for box, reach, score in list(_finds(rng, shot))
    ]
    return sorted(found, key=lambda find: -find['score'])


def _finds(
    rng: np.random.Generator, shot: Shot
) -> Iterator[tuple[_Box, float, float]]:
    """Box, inaccuracy and score of each find."""
    for index, thing in enumerate(shot.scene.things):
        mask = shot.rendered.mask(index)
        if not mask.any():
            continue
        box: _Box = bounds(mask)
        if not isinstance(thing, Person):
            if chance(rng, 0.08):
                yield box, 0.1, uniform(rng, 0.05, 0.5)
            continue
        easy = _sizeable(mask) and thing.crowd is None
        if chance(rng, 0.96 if easy else 0.5):
            yield box, 0.05, 1 - 0.5 * float(rng.random()) ** (1 + easy)
        if chance(rng, 0.15):
            yield box, 0.2, uniform(rng, 0.05, 0.4)
    # The first picture has a false find, so that the list is never empty.
    if chance(rng, 0.3) or shot.index == 0:
        width, height = shot.scene.width, shot.scene.height
        x, y = uniform(rng, 0, 0.7) * width, uniform(rng, 0, 0.6) * height
        box = x, y, x + 0.2 * width, y + 0.35 * height
        yield box, 0.1, uniform(rng, 0.05, 0.35)


def _jitter(
    rng: np.random.Generator, box: _Box, reach: float, scene: Scene
) -> list[float]:
    """A box (x, y, width, height) near this one, within the picture."""
    wide, high = box[2] - box[0], box[3] - box[1]
    moves = [uniform(rng, -reach, reach) for _ in box]
    left, right = (box[k] + moves[k] * wide for k in (0, 2))
    top, bottom = (box[k] + moves[k] * high for k in (1, 3))
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, scene.width), min(bottom, scene.height)
    return [round(n, 2) for n in (left, top, right - left, bottom - top)]


def _label(shot: Shot) -> tuple[dict, list[dict], list[dict]]:
    boxes = detect(shot) if shot.split == 'val' else []
    return record(shot), annotate_people(shot), boxes


def _compose(world: World, labels: list) -> list:
    person = {
        'supercategory': 'person',
        'id': PERSON,
        'name': 'person',
        'keypoints': list(JOINTS),
        'skeleton': [list(limb) for limb in SKELETON],
    }
    pairs = [(image, people) for image, people, _ in labels]
    boxes = [box for _, _, found in labels for box in found]
    # A list has no place for the info of the world but in an entry.
    boxes[0] = {**boxes[0], 'info': world.info()}
    return [*contents(world, [person], pairs), boxes]


KEYPOINTS = Layout(
    path=_INSTANCES.path,
    files=_FILES,
    pictures=_INSTANCES.pictures,
    draw=draw,
    label=_label,
    compose=_compose,
)
