"""Pictures and clips of one small thing each, on which the class depends.

Where a map of heat should lie is known of them: in the box of the thing, a
twentieth to a seventh of the picture. They are drawn by the toy world.

Legend: T frames, H, W pixels.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..toyworld import Scene, render
from ..toyworld.backdrop import pick, sample_backdrop, uniform
from ..toyworld.render import paste
from ..toyworld.sampling import HABITS, NAMES, sample_thing

SIDE = 128  # pixels of a picture
CLIP_SIDE = 96  # of a clip
FRAMES = 8
AREA = 0.05, 0.15  # of the box, as a share
WAYS = {'right': (1, 0), 'left': (-1, 0), 'down': (0, 1), 'up': (0, -1)}
WAY = 0.35, 0.5  # of the side, in a clip
BOXES = 'boxes.json'
SPLITS = ('train', 'val')


def picture(rng: np.random.Generator, name: str) -> NDArray[np.uint8]:
    """A thing before a background: (1, H, W, 4), red green blue, mask."""
    size, wide, high = _extent(rng, name, SIDE)
    x = uniform(rng, wide / 2, SIDE - wide / 2)
    y = uniform(rng, high / 2, SIDE - high / 2)
    thing = sample_thing(rng, name, x, y, size)
    layers, _ = sample_backdrop(rng, SIDE, SIDE)
    grain, seed = int(rng.integers(2, 7)), int(rng.integers(2**31))
    drawn = render(Scene(SIDE, SIDE, layers, (thing,), grain, seed))
    return np.dstack([drawn.image, np.uint8(255) * drawn.mask(0)])[None]


def clip(rng: np.random.Generator, way: str) -> NDArray[np.uint8]:
    """A thing that goes one way: (T, H, W, 4), red green blue, mask."""
    name = pick(rng, NAMES)
    size, wide, high = _extent(rng, name, CLIP_SIDE)
    step = np.array(WAYS[way]) * uniform(rng, *WAY) * CLIP_SIDE / (FRAMES - 1)
    reach = np.abs(step) * (FRAMES - 1) / 2
    half = np.array([wide, high]) / 2 + reach
    x, y = (
        uniform(rng, min(h, CLIP_SIDE / 2), max(CLIP_SIDE - h, CLIP_SIDE / 2))
        for h in half.tolist()
    )
    thing = sample_thing(rng, name, x, y, size)
    layers, _ = sample_backdrop(rng, CLIP_SIDE, CLIP_SIDE)
    grain, seed = int(rng.integers(2, 7)), int(rng.integers(2**31))
    still = render(Scene(CLIP_SIDE, CLIP_SIDE, layers, (), grain, seed)).image
    frames = []
    for number in range(FRAMES):
        moved = (number - (FRAMES - 1) / 2) * step
        there = replace(thing, x=x + moved[0], y=y + moved[1])
        frame, alone = still.copy(), np.zeros_like(still)
        paste(there, frame)
        paste(replace(there, colours=_white(there.colours)), alone)
        frames.append(np.dstack([frame, alone.max(2)]))
    return np.stack(frames)


def _white(colours: tuple) -> tuple:
    """As many colours, none of them black."""
    return ((255, 255, 255),) * len(colours)


def _extent(
    rng: np.random.Generator, name: str, side: int
) -> tuple[float, float, float]:
    """Size of a thing, width and height of its box, in pixels."""
    wide, high = HABITS[name].box
    share = uniform(rng, *AREA)
    size = min(side * math.sqrt(share / (wide * high)), 0.9 * side)
    return size, size * wide, size * high


def box(mask: NDArray[np.uint8]) -> list[int]:
    """x1, y1, x2, y2 of what is in a mask (H, W), in whole pixels."""
    rows, columns = (np.flatnonzero(mask.max(axis)) for axis in (1, 0))
    if not rows.size:
        return [0, 0, 0, 0]
    x1, y1 = columns[0], rows[0]
    return [int(v) for v in (x1, y1, columns[-1] + 1, rows[-1] + 1)]


def inside(boxes: list[list[int]], shape: tuple[int, ...]) -> NDArray:
    """Where boxes of frames are, (T, H, W)."""
    found = np.zeros((len(boxes), *shape), bool)
    for frame, (x1, y1, x2, y2) in zip(found, boxes):
        frame[y1:y2, x1:x2] = True
    return found


def write(
    root: Path, moving: bool, train: int, val: int, seed: int = 0
) -> None:
    """Writes a data set, in the layout of ImageNet or of Kinetics.

    Args:
        root: Where to; what is there whole is not written again.
        moving: Clips; else pictures.
        train: How many there are to train on.
        val: How many there are to look at; ``boxes.json`` has the boxes of
            these, with one of each frame, and the numbers of their classes.
        seed: Another one gives others.
    """
    if (root / BOXES).is_file():
        return
    known = {}
    for split, count in zip(SPLITS, (train, val)):
        lines = []
        root.mkdir(parents=True, exist_ok=True)
        for path, label, frames in _drawn(split, moving, count, seed):
            file = root / split / path
            file.parent.mkdir(parents=True, exist_ok=True)
            (_write_clip if moving else _write_picture)(file, frames[..., :3])
            lines.append(f'{path},{label}')
            if split == 'val':
                boxes = [box(frame[..., 3]) for frame in frames]
                known[f'{split}/{path}'] = dict(label=label, boxes=boxes)
        if moving:
            (root / f'{split}.csv').write_text('\n'.join(lines))
    (root / BOXES).write_text(json.dumps(known))


def _drawn(
    split: str, moving: bool, count: int, seed: int
) -> Iterator[tuple[str, int, NDArray[np.uint8]]]:
    """Path, number of the class, pixels and masks of each."""
    classes = list(WAYS) if moving else sorted(NAMES)
    for index in range(count):
        key = [SPLITS.index(split), int(moving), index, seed]
        rng = np.random.default_rng(np.random.SeedSequence(key))
        label = index % len(classes)
        if moving:
            yield f'{index:05}.mp4', label, clip(rng, classes[label])
        else:
            folder = classes[label].replace(' ', '_')
            pixels = picture(rng, classes[label])
            yield f'{folder}/{index:05}.jpg', label, pixels


def _write_picture(path: Path, frames: NDArray[np.uint8]) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    cv2.imwrite(str(path), frames[0][..., ::-1], quality)


def _write_clip(path: Path, frames: NDArray[np.uint8]) -> None:
    codec = cv2.VideoWriter.fourcc(*'mp4v')
    size = frames.shape[2], frames.shape[1]
    video = cv2.VideoWriter(str(path), codec, FRAMES, size)
    for frame in frames:
        video.write(np.ascontiguousarray(frame[..., ::-1]))
    video.release()
