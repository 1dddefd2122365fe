"""The ADE20K layout of the scene parsing challenge.

``images/{training,validation}/ADE_{train,val}_00000001.jpg`` and so on, with
index maps of the same names, .png, under ``annotations``: 0 is unlabelled, k
the k-th of the 150 classes, so that configs for ADE20K run on it as they are.
"""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .layout import Layout, Shot
from .render import Rendered
from .scene import STUFF, Scene
from .world import SPLITS, World

# Those of the 150 classes, counted from 1, that occur.
CLASSES: dict[str, int] = {
    'wall': 1,
    'building': 2,
    'sky': 3,
    'floor': 4,
    'tree': 5,
    'road': 7,
    'grass': 10,
    'person': 13,
    'earth': 14,
    'mountain': 17,
    'car': 21,
    'signboard': 44,
    'sand': 47,
    'plaything': 109,
    'ball': 120,
    'traffic light': 137,
    'clock': 149,
}
# Things that ADE20K calls otherwise. An umbrella is none of the 150: it stays
# unlabelled, as some things do in every picture of the real data.
_ALIASES = {
    'stop sign': 'signboard',
    'sports ball': 'ball',
    'kite': 'plaything',
}
UNLABELLED = 0
_FOLDERS = {'train': 'training', 'val': 'validation'}


def label_map(scene: Scene, rendered: Rendered) -> NDArray[np.uint8]:
    """The class of each pixel, (H, W), 0 where it has none."""
    stuff = np.array([CLASSES[name] for name in STUFF], np.uint8)
    names = [_ALIASES.get(thing.name, thing.name) for thing in scene.things]
    # The owner of the background, -1, takes the last one.
    codes = [*(CLASSES.get(name, UNLABELLED) for name in names), 0]
    things = np.array(codes, np.uint8)[rendered.owner]
    return np.where(rendered.owner < 0, stuff[rendered.stuff], things)


def _stem(split: str, index: int) -> str:
    return f'ADE_{split}_{index + 1:08d}'


def _names(split: str, suffix: str, info: dict) -> list[str]:
    n = range(info.get(f'images_{split}', 0))
    return [_stem(split, index) + suffix for index in n]


def _draw(root: Path, shot: Shot) -> None:
    labels = label_map(shot.scene, shot.rendered)
    png = cv2.imencode('.png', labels)[1].tobytes()
    name = _stem(shot.split, shot.index)
    folder = _FOLDERS[shot.split]
    (root / 'images' / folder / f'{name}.jpg').write_bytes(shot.jpeg)
    (root / 'annotations' / folder / f'{name}.png').write_bytes(png)


def _label(shot: Shot) -> tuple[str, list[int]]:
    """Number of pixels of each class."""
    labels = label_map(shot.scene, shot.rendered)
    return shot.split, np.bincount(labels.ravel(), minlength=151).tolist()


def _compose(world: World, labels: list[tuple[str, list[int]]]) -> list[dict]:
    """How common each class is, as ``objectInfo150.txt`` of ADE20K tells."""
    counts = np.array([count for _, count in labels])
    splits = np.array([split for split, _ in labels])
    share = counts.sum(0) / counts.sum()
    classes = []
    for name, index in {'unlabelled': UNLABELLED, **CLASSES}.items():
        pictures = {
            split: int(np.count_nonzero(counts[splits == split, index]))
            for split in SPLITS
        }
        pixels = round(float(share[index]), 5)
        classes.append(
            {'id': index, 'name': name, 'pixels': pixels, **pictures}
        )
    return [{'info': world.info(), 'classes': classes}]


ADE = Layout(
    path='ade/ADEChallengeData2016',
    files=('classes.json',),
    pictures={
        f'{kind}/{folder}': partial(_names, split, suffix)
        for kind, suffix in (('images', '.jpg'), ('annotations', '.png'))
        for split, folder in _FOLDERS.items()
    },
    draw=_draw,
    label=_label,
    compose=_compose,
)
