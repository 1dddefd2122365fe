"""The ImageNet layout: a folder for each class, one thing in each picture.

``{train,val}/CLASS/ILSVRC2012_{train,val}_00000001.JPEG`` and so on. The
classes are the eight things of the toy world, not ImageNet's thousand.
"""

from functools import partial
from pathlib import Path

import cv2

from .backdrop import sample_backdrop, uniform
from .layout import Layout, Shot
from .render import render
from .sampling import HABITS, NAMES, sample_thing
from .scene import Scene
from .world import SPLITS, World

CLASSES = tuple(sorted(name.replace(' ', '_') for name in NAMES))


def _scene(shot: Shot) -> Scene:
    """One large thing before a background."""
    rng = shot.world.rng(shot.split, shot.index, use=2)
    width, height = shot.world.size, shot.world.size * 3 // 4
    layers, _ = sample_backdrop(rng, width, height)
    name = CLASSES[shot.index % len(CLASSES)].replace('_', ' ')
    wide, high = HABITS[name].box
    extent = uniform(rng, 0.45, 0.9) * min(width / wide, height / high)
    half_wide, half_high = wide * extent / 2, high * extent / 2
    x = uniform(rng, half_wide, width - half_wide)
    y = uniform(rng, half_high, height - half_high)
    thing = sample_thing(rng, name, x, y, extent)
    grain, seed = int(rng.integers(2, 7)), int(rng.integers(2**31))
    return Scene(width, height, layers, (thing,), grain, seed)


def _stem(split: str, index: int) -> str:
    return f'ILSVRC2012_{split}_{index + 1:08d}.JPEG'


def _names(split: str, label: int, info: dict) -> list[str]:
    count = info.get(f'images_{split}', 0)
    return [_stem(split, i) for i in range(label, count, len(CLASSES))]


def _draw(root: Path, shot: Shot) -> None:
    label = CLASSES[shot.index % len(CLASSES)]
    pixels = render(_scene(shot)).image[..., ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    jpeg = cv2.imencode('.jpg', pixels, quality)[1].tobytes()
    name = _stem(shot.split, shot.index)
    (root / shot.split / label / name).write_bytes(jpeg)


def _compose(world: World, labels: list[None]) -> list[dict]:
    return [{'info': world.info(), 'classes': CLASSES}]


IMAGENET = Layout(
    path='imagenet',
    files=('classes.json',),
    pictures={
        f'{split}/{name}': partial(_names, split, label)
        for split in SPLITS
        for label, name in enumerate(CLASSES)
    },
    draw=_draw,
    label=lambda shot: None,
    compose=_compose,
)
