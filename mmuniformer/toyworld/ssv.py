"""The Something-Something V1 layout: a folder of frames for each clip.

``20bn-something-something-v1/{1,2,...}/{00001,00002,...}.jpg`` and the lists
``{train,val}.txt`` of ``FOLDER FRAMES LABEL``. The clips are those of the
Kinetics layout; validation follows training in the numbers of the folders.
"""

from functools import partial
from pathlib import Path

import cv2

from .coco import image_id
from .layout import Layout, Shot
from .motion import CLASSES, FRAMES, label
from .world import SPLITS, World

FOLDER = '20bn-something-something-v1'
_FRAMES = [f'{number:05d}.jpg' for number in range(1, FRAMES + 1)]


def _names(info: dict) -> list[str]:
    return [
        f'{image_id(split, index)}/{frame}'
        for split in SPLITS
        for index in range(info.get(f'images_{split}', 0))
        for frame in _FRAMES
    ]


def _lines(split: str, info: dict) -> list[str]:
    return [
        f'{image_id(split, index)} {FRAMES} {label(index)}'
        for index in range(info.get(f'images_{split}', 0))
    ]


def _draw(root: Path, shot: Shot) -> None:
    folder = root / FOLDER / str(image_id(shot.split, shot.index))
    folder.mkdir(exist_ok=True)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    for name, frame in zip(_FRAMES, shot.clip, strict=True):
        jpeg = cv2.imencode('.jpg', frame[..., ::-1], quality)[1].tobytes()
        (folder / name).write_bytes(jpeg)


def _compose(world: World, labels: list[None]) -> list[dict]:
    return [{'info': world.info(), 'classes': CLASSES}]


SSV = Layout(
    path='sthv1',
    files=('classes.json',),
    pictures={FOLDER: _names},
    draw=_draw,
    label=lambda shot: None,
    compose=_compose,
    lists={f'{split}.txt': partial(_lines, split) for split in SPLITS},
)
