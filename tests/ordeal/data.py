"""Bad data of five tasks: named before the first step, or replaced and named.

``SPOILS`` has for each task the kinds: a function that spoils a copy of the
data, and what must be said of it. '' stands for data that is valid, which a
training takes; ``EITHER`` for what it may take or name.
"""

import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .forked import Job, Outcome, run_all
from .trial import Trial

EITHER = 'either'
Spoil = Callable[[Path], object]


# --- pictures --------------------------------------------------------------


def _png_bomb(path: Path) -> None:
    """A header of 60,000 x 60,000 pixels, and nothing of them."""
    import struct
    import zlib

    head = b'IHDR' + struct.pack('>IIBBBBB', 60000, 60000, 8, 2, 0, 0, 0)
    sums = struct.pack('>I', zlib.crc32(head))
    path.write_bytes(
        b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + head + sums
    )


def _pillow(mode: str) -> Spoil:
    """Saves it again, with other channels."""

    def spoil(path: Path) -> None:
        from PIL import Image

        with Image.open(path) as picture:
            plain = picture.convert('RGB')
        kind = 'JPEG' if mode == 'CMYK' else 'PNG'
        plain.convert(mode).save(path, kind)

    return spoil


FILES: dict[str, tuple[Spoil, str]] = {
    'empty': (lambda p: p.write_bytes(b''), 'named'),
    'cut off': (
        lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
        'named',
    ),
    'a page': (lambda p: p.write_text('<html>404</html>'), 'named'),
    'random bytes': (lambda p: p.write_bytes(os.urandom(4096)), 'named'),
    'gone': (lambda p: p.unlink(), 'named'),
    'a folder': (lambda p: (p.unlink(), p.mkdir()), 'named'),
    'a pipe': (lambda p: (p.unlink(), os.mkfifo(p)), 'named'),
    'a link to itself': (
        lambda p: (p.unlink(), p.symlink_to(p.name)),
        'named',
    ),
}
PICTURES: dict[str, tuple[Spoil, str]] = {
    **FILES,
    'a bomb': (_png_bomb, 'named'),
    'gray': (_pillow('L'), ''),
    'with alpha': (_pillow('RGBA'), ''),
    'with a palette': (_pillow('P'), ''),
    'for print': (_pillow('CMYK'), ''),
}


# --- annotations -----------------------------------------------------------


def _edit(file: str, change: Callable[[Any], object]) -> Spoil:
    """Changes the content of an annotation file."""

    def spoil(data: Path) -> None:
        path = data / 'coco/annotations' / file
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return spoil


def _object(file: str, **fields: Any) -> Spoil:
    """Changes the fields of one object."""
    return _edit(file, lambda c: c['annotations'][2].update(fields))


BOXES = 'instances_train2017.json'
JOINTS = 'person_keypoints_train2017.json'
DETECTED = 'coco/person_detection_results/'
DETECTED += 'COCO_val2017_detections_AP_H_56_person.json'


def _file(path: str, spoil: Spoil) -> Spoil:
    """Spoils the file of a name, or the first that fits a pattern."""
    return lambda data: spoil(sorted(data.glob(path))[0])


def _text(path: str, text: str | bytes) -> Spoil:
    content = text.encode() if isinstance(text, str) else text
    return lambda data: (data / path).write_bytes(content)


def _pictures(pattern: str, *names: str) -> dict[str, tuple[Spoil, str]]:
    return {
        f'picture {name}': (_file(pattern, spoil), said)
        for name, (spoil, said) in PICTURES.items()
        if not names or name in names
    }


def _map(change: Callable[[np.ndarray], np.ndarray]) -> Spoil:
    def spoil(path: Path) -> None:
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), change(labels))

    return spoil


CLASSED = 'imagenet/train/*/*'
ADE = 'ade/ADEChallengeData2016'
MAPS = f'{ADE}/annotations/training/*.png'
VIDEO = 'kinetics400'
SPOILS: dict[str, dict[str, tuple[Spoil, str]]] = {
    'cls': {
        **_pictures(CLASSED),
        # Classes are folders, of which other things are no part.
        **{
            f'picture {name}': (_file(CLASSED, FILES[name][0]), '')
            for name in ('gone', 'a folder', 'a pipe')
        },
        'no classes': (
            lambda d: [
                shutil.rmtree(p) for p in (d / 'imagenet/train').iterdir()
            ],
            'train',
        ),
        'a hidden folder': (
            lambda d: (d / 'imagenet/train/.ipynb_checkpoints').mkdir(), '',
        ),
        'one class less': (
            lambda d: shutil.rmtree(
                sorted((d / 'imagenet/train').iterdir())[0]
            ),
            'classes|folders',
        ),
        'an empty class': (
            lambda d: [
                p.unlink()
                for p in sorted((d / 'imagenet/train').iterdir())[0].iterdir()
            ],
            'car|no pictures|empty',
        ),
    },
    'det': {
        **_pictures(
            'coco/train2017/*', 'cut off', 'gone', 'a pipe', 'a bomb', 'gray'
        ),
        'no number': (_object(BOXES, bbox=[1, 2, math.nan, 4]), BOXES),
        'a box of text': (_object(BOXES, bbox='1 2 3 4'), BOXES),
        'a box of three': (_object(BOXES, bbox=[1, 2, 3]), BOXES),
        'a polygon of NaN': (
            _object(BOXES, segmentation=[[1, 2, 3, 4, 5, math.nan]]), BOXES,
        ),
        'a far polygon': (
            _object(BOXES, segmentation=[[1, 2, 1e9, 4, 5, 6]]), BOXES,
        ),
        'a class of nobody': (_object(BOXES, category_id=99), BOXES),
        'a picture of nobody': (_object(BOXES, image_id=10**9), BOXES),
        'runs that are text': (
            _object(BOXES, segmentation=dict(size=[9, 9], counts='??')),
            BOXES,
        ),
        'areas of text': (_object(BOXES, area='big'), BOXES),
        'no objects': (_edit(BOXES, lambda c: c['annotations'].clear()),
                       'nothing|annotation|object'),
        'cut JSON': (
            _file(
                f'coco/annotations/{BOXES}',
                lambda p: p.write_bytes(p.read_bytes()[:-99]),
            ),
            BOXES,
        ),
        'a list': (_text(f'coco/annotations/{BOXES}', '[]'), BOXES),
    },
    'pose': {
        # Of people: a training reads no other.
        **_pictures('coco/train2017/*2.jpg', 'empty', 'cut off', 'a folder'),
        'joints of 16': (_object(JOINTS, keypoints=[1, 2, 2] * 16), JOINTS),
        'joints without numbers': (
            _object(JOINTS, keypoints=[math.nan, 2, 2] * 17), JOINTS,
        ),
        'joints of text': (_object(JOINTS, keypoints='a'), JOINTS),
        'joints of infinity': (
            _object(JOINTS, keypoints=[math.inf, 2, 2] * 17), JOINTS,
        ),
        'visible 7 times': (_object(JOINTS, keypoints=[1, 2, 7] * 17), JOINTS),
        'no people': (
            _edit(JOINTS, lambda c: c['annotations'].clear()),
            'nothing|annotation|object',
        ),
        'no boxes of a detector': (
            _file(DETECTED, lambda p: p.unlink()), 'person_detection',
        ),
        'cut boxes of a detector': (
            _file(DETECTED, lambda p: p.write_bytes(p.read_bytes()[:-9])),
            'AP_H_56_person',
        ),
        'boxes that are none': (_text(DETECTED, '{"a": 1}'), 'AP_H_56_person'),
        'HTML in the place of JSON': (
            _text(f'coco/annotations/{JOINTS}', '<html>'), JOINTS,
        ),
    },
    'seg': {
        **_pictures(f'{ADE}/images/training/*', 'empty', 'gone', 'with alpha'),
        **{
            f'label map {name}': (_file(MAPS, FILES[name][0]), 'named')
            for name in ('empty', 'cut off', 'gone', 'a folder', 'a pipe')
        },
        'a label map of colours': (
            _file(MAPS, _map(lambda m: np.dstack([m, m // 2, m * 3]))),
            'named',
        ),
        'a label map of 16 bits': (
            _file(MAPS, _map(lambda m: m.astype(np.uint16) + 400)), 'named',
        ),
        'a class of nobody': (
            _file(MAPS, _map(lambda m: m * 0 + 199)),
            'named',
        ),
        'nothing labelled': (_file(MAPS, _map(lambda m: m * 0)), EITHER),
        'another size': (
            _file(MAPS, _map(lambda m: np.ascontiguousarray(m[:-9]))),
            'named',
        ),
        'no label maps': (
            lambda d: shutil.rmtree(d / ADE / 'annotations/training'),
            'annotations',
        ),
    },
    'video': {
        **{
            f'video {name}': (_file(f'{VIDEO}/train*/*.mp4', spoil), said)
            for name, (spoil, said) in FILES.items()
        },
        'a label of nobody': (
            _text(f'{VIDEO}/train.csv', '00000001.mp4,99\n'), 'line 1',
        ),
        'a label below zero': (
            _text(f'{VIDEO}/train.csv', '00000001.mp4,-1\n'), 'line 1',
        ),
        'a label of text': (
            _text(f'{VIDEO}/train.csv', '00000001.mp4,run\n'), 'line 1',
        ),
        'no label': (_text(f'{VIDEO}/train.csv', '00000001.mp4\n'), 'line 1'),
        'an empty list': (_text(f'{VIDEO}/train.csv', ''), 'train.csv'),
        'a list of bytes': (
            _text(f'{VIDEO}/train.csv', b'\xff\xfe\x00a'), 'train.csv',
        ),
    },
}  # fmt: skip


def trials(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yields the task of each kind and what went wrong."""
    for task, kinds in SPOILS.items():
        for said in run_all(_jobs(folder / f'data_{task}', task, kinds)):
            yield task, [said] if said else []


def _jobs(
    folder: Path, task: str, kinds: dict[str, tuple[Spoil, str]]
) -> Iterator[Job]:
    for i, (kind, (spoil, says)) in enumerate(kinds.items()):
        own = folder / str(i)
        own.mkdir(parents=True)
        trial = Trial(own, task)
        shutil.copytree(folder.parent / 'data', own / 'data')
        before = _listing(own)
        spoil(own / 'data')
        changed = [
            path.stem for path in before if _state(path) != before[path]
        ]
        says = '|'.join(map(re.escape, changed)) if says == 'named' else says
        short = 'max_iters=2' if task == 'seg' else 'max_epochs=1'
        yield Job(
            f'{task}_{kind.replace(" ", "_")}',
            ['tools/train.py', trial.config, '--work-dir', 'w',
             '--cfg-options', f'train_cfg.{short}',
             'train_cfg.val_interval=1', 'train_dataloader.num_workers=0',
             'train_dataloader.persistent_workers=False'],
            own, partial(_judge, own, says),
        )  # fmt: skip


def _listing(folder: Path) -> dict[Path, Any]:
    return {
        path: _state(path)
        for path in (folder / 'data').rglob('*')
        if path.is_file()
    }


def _state(path: Path) -> Any:
    try:
        return path.stat().st_mtime_ns, path.stat().st_size
    except OSError:
        return None


def _judge(folder: Path, says: str, outcome: Outcome) -> str:
    shutil.rmtree(folder / 'data')
    if outcome.status == 0 and says in ('', EITHER):
        return ''
    if outcome.status == 2 and says == '':
        return f'valid data is refused: {outcome.errors[0]}'
    if says == EITHER:
        return ''
    lines = [
        line
        for line in outcome.text.splitlines()
        if line.startswith('error: ') or ' WARNING ' in line
    ]
    if any(re.search(says, line) for line in lines):
        return ''
    return f'silent, exit status {outcome.status}: {outcome.last}'
