"""The Kinetics layout: ``{train,val}/*.mp4`` and lists ``{train,val}.csv``.

Lines of a list are ``00000001.mp4,LABEL``, paths being below the folder of the
split. The classes are the eight of :mod:`.motion`, not Kinetics' hundreds.
"""

from functools import partial
from pathlib import Path

import cv2

from .layout import Layout, Shot
from .motion import CLASSES, FPS, HEIGHT, WIDTH, label
from .world import SPLITS, World


def _file(index: int) -> str:
    return f'{index + 1:08d}.mp4'


def _names(split: str, info: dict) -> list[str]:
    return [_file(i) for i in range(info.get(f'images_{split}', 0))]


def _lines(split: str, info: dict) -> list[str]:
    return [f'{x},{label(i)}' for i, x in enumerate(_names(split, info))]


def _draw(root: Path, shot: Shot) -> None:
    path = root / shot.split / _file(shot.index)
    codec = cv2.VideoWriter.fourcc(*'mp4v')
    video = cv2.VideoWriter(str(path), codec, FPS, (WIDTH, HEIGHT))
    if not video.isOpened():
        raise OSError(f'{path}: OpenCV cannot write mp4 files')
    for frame in shot.clip:
        video.write(frame[..., ::-1])
    video.release()


def _compose(world: World, labels: list[None]) -> list[dict]:
    return [{'info': world.info(), 'classes': CLASSES}]


KINETICS = Layout(
    path='kinetics400',
    files=('classes.json',),
    pictures={split: partial(_names, split) for split in SPLITS},
    draw=_draw,
    label=lambda shot: None,
    compose=_compose,
    lists={f'{split}.csv': partial(_lines, split) for split in SPLITS},
)
