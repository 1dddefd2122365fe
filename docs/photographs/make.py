"""The strip of photographs at the top of the README: its data and the strip.

    python docs/photographs/make.py data     # data/photographs
    python docs/photographs/make.py strip    # docs/photographs.jpg

docs/pictures.md has the commands between the two. Photographs are those of
scikit-image and scikit-learn, of which nothing else is used; they were
outlined by hand (annotations.json). A training gets views of them: parts of
60 to 100 % of a side, brighter or darker. No view is the photograph itself.
"""

import functools
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
DATA = Path('data/photographs')
FILES = {
    'astronaut': ('skimage', 'data/astronaut.png'),
    'cat': ('skimage', 'data/chelsea.png'),
    'china': ('sklearn', 'datasets/images/china.jpg'),
    'coffee': ('skimage', 'data/coffee.png'),
    'flower': ('sklearn', 'datasets/images/flower.jpg'),
    'motorcycle': ('skimage', 'data/motorcycle_left.png'),
    'rocket': ('skimage', 'data/rocket.jpg'),
}
HELD_OUT = 'motorcycle'  # no clip of the training is made of it
THINGS = ('cup', 'spoon', 'plate', 'motorcycle', 'person')
AREAS = ('sky', 'water', 'building', 'tree')
JOINTS = (
    'nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder '
    'left_elbow right_elbow left_wrist right_wrist left_hip right_hip '
    'left_knee right_knee left_ankle right_ankle'
).split()
# Where the middle of the picture goes, in widths; and how its size changes.
MOVES = {
    'to the left': (-0.12, 0, 1),
    'to the right': (0.12, 0, 1),
    'up': (0, -0.12, 1),
    'down': (0, 0.12, 1),
    'closer': (0, 0, 0.6),
    'farther': (0, 0, 1 / 0.6),
}


class View(NamedTuple):
    """A part of a photograph.

    Attributes:
        picture: (H, W, 3), blue green red.
        matrix: From the photograph's pixels to those of the view, (2, 3).
    """

    picture: np.ndarray
    matrix: np.ndarray

    def polygon(self, numbers: list[float]) -> np.ndarray:
        """The mask of an outline in the photograph, (H, W)."""
        points = self.points(np.reshape(numbers, (-1, 2)))
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
        return mask

    def points(self, points: np.ndarray) -> np.ndarray:
        """Points of the photograph in the view, (N, 2)."""
        return np.c_[points, np.ones(len(points))] @ self.matrix.T


@functools.cache
def photograph(name: str) -> np.ndarray:
    """A photograph, (H, W, 3), blue green red."""
    package, path = FILES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(
            f'error: no {package}; '
            'pip install --no-deps scikit-image scikit-learn'
        )
    file = Path(spec.submodule_search_locations[0]) / path
    return cv2.imread(str(file))


def window(image: np.ndarray, box: tuple[float, ...], width: int) -> View:
    """A view of a window: its middle and its width, in pixels."""
    x, y, wide = box
    height = round(width * image.shape[0] / image.shape[1])
    s = width / wide
    matrix = np.array([[s, 0, width / 2 - s * x], [0, s, height / 2 - s * y]])
    how = cv2.INTER_AREA if s < 1 else cv2.INTER_CUBIC
    picture = cv2.warpAffine(
        image,
        matrix,
        (width, height),
        flags=how,
        borderMode=cv2.BORDER_REFLECT,
    )
    return View(picture, matrix)


def views(name: str, number: int, width: int, seed: int) -> Iterator[View]:
    """Parts of a photograph, by chance."""
    rng = np.random.default_rng(seed)
    image = photograph(name)
    h, w = image.shape[:2]
    for _ in range(number):
        share = rng.uniform(0.6, 1)
        x = w / 2 + rng.uniform(-1, 1) * (1 - share) * w / 2
        y = h / 2 + rng.uniform(-1, 1) * (1 - share) * h / 2
        view = window(image, (x, y, share * w), width)
        bright = np.clip(view.picture * rng.uniform(0.8, 1.2), 0, 255)
        yield view._replace(picture=bright.astype(np.uint8))


def whole(name: str, width: int = 0) -> View:
    """The photograph, at its own width or another."""
    image = photograph(name)
    h, w = image.shape[:2]
    return window(image, (w / 2, h / 2, w), width or w)


def parts(name: str, split: str, number: int, width: int) -> list[View]:
    """Views to train with, or the photograph."""
    if split == 'val':
        return [whole(name)]
    return list(views(name, number, width, seed=len(name)))


def write(path: Path, picture: np.ndarray) -> None:
    """A picture into a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


def classes(split: str) -> None:
    """A folder for each photograph."""
    for name in FILES:
        for i, view in enumerate(parts(name, split, 40, 160)):
            write(DATA / f'cls/{split}/{name}/{i}.jpg', view.picture)


def things(split: str, outlines: dict) -> None:
    """COCO's file of boxes and masks."""
    coco = dict(images=[], annotations=[])
    coco['categories'] = [dict(id=i, name=n) for i, n in enumerate(THINGS)]
    for name, objects in outlines.items():
        for i, view in enumerate(parts(name, split, 80, 320)):
            file = f'{split}/{name}_{i}.jpg'
            write(DATA / 'det' / file, view.picture)
            h, w = view.picture.shape[:2]
            number = len(coco['images'])
            coco['images'].append(
                dict(id=number, file_name=file, width=w, height=h)
            )
            for thing, numbers in objects:
                mask = view.polygon(numbers)
                if mask.sum() < 100:
                    continue
                found, _ = cv2.findContours(
                    mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
                )
                coco['annotations'].append(
                    dict(
                        id=len(coco['annotations']),
                        image_id=number,
                        category_id=THINGS.index(thing),
                        bbox=[int(v) for v in cv2.boundingRect(mask)],
                        segmentation=[
                            c.ravel().tolist() for c in found if len(c) > 2
                        ],
                        area=int(mask.sum()),
                        iscrowd=0,
                    )
                )
    (DATA / f'det/{split}.json').write_text(json.dumps(coco))


def areas(split: str, outlines: dict) -> None:
    """Pictures and label maps."""
    for name, regions in outlines.items():
        for i, view in enumerate(parts(name, split, 80, 320)):
            label = np.zeros(view.picture.shape[:2], np.uint8)
            for area, numbers in regions:
                label[view.polygon(numbers) > 0] = AREAS.index(area)
            write(DATA / f'seg/img/{split}/{name}_{i}.jpg', view.picture)
            write(DATA / f'seg/ann/{split}/{name}_{i}.png', label)


def people(split: str, points: dict) -> None:
    """COCO's file of key points."""
    coco = dict(images=[], annotations=[])
    coco['categories'] = [
        dict(id=1, name='person', keypoints=JOINTS, skeleton=[])
    ]
    for name, person in points.items():
        chosen = parts(name, split, 160, 256)
        if split == 'val':  # small, so that drawn lines are thick
            chosen = [whole(name, 270)]
        for i, view in enumerate(chosen):
            file = f'{split}/{name}_{i}.jpg'
            write(DATA / 'pose' / file, view.picture)
            h, w = view.picture.shape[:2]
            coco['images'].append(
                dict(id=i, file_name=file, width=w, height=h)
            )
            flat = []
            for joint in JOINTS:
                found = person['joints'].get(joint)
                x, y = view.points(np.array([found or (0, 0)]))[0]
                seen = found is not None and 0 <= x < w and 0 <= y < h
                flat += [float(x), float(y), 2] if seen else [0, 0, 0]
            x, y, wide, high = person['box']
            (left, top), (right, low) = np.clip(
                view.points(np.array([(x, y), (x + wide, y + high)])),
                0,
                (w, h),
            )
            box = [float(v) for v in (left, top, right - left, low - top)]
            coco['annotations'].append(
                dict(
                    id=i,
                    image_id=i,
                    category_id=1,
                    bbox=box,
                    area=box[2] * box[3],
                    iscrowd=0,
                    keypoints=flat,
                    num_keypoints=sum(v > 0 for v in flat[2::3]),
                )
            )
    (DATA / f'pose/{split}.json').write_text(json.dumps(coco))


def film(name: str, move: str, rng: np.random.Generator, width: int) -> list:
    """24 frames of a camera that moves over a photograph."""
    image = photograph(name)
    h, w = image.shape[:2]
    dx, dy, zoom = MOVES[move]
    share = rng.uniform(0.55, 0.65) * (1 if zoom >= 1 else 1 / zoom) ** 0.5
    share /= zoom**0.5 if zoom > 1 else 1
    x, y = (v * rng.uniform(0.45, 0.55) for v in (w, h))
    frames = []
    for t in np.linspace(-1, 1, 24):
        middle = (
            x + t * dx * w,
            y + t * dy * w,
            share * w * zoom ** ((t + 1) / 2),
        )
        frames.append(window(image, middle, width).picture)
    return frames


def clips(split: str) -> None:
    """A folder of videos for each move of the camera."""
    rng = np.random.default_rng(split == 'val')
    names = [n for n in FILES if (n == HELD_OUT) == (split == 'val')]
    for move in MOVES:
        for i in range(60 if split == 'train' else 4):
            width = 96 if split == 'train' else 400
            frames = film(names[i % len(names)], move, rng, width)
            save(DATA / f'video/{split}/{move}/{i}.mp4', frames)
    rng = np.random.default_rng(1)
    save(DATA / 'up.mp4', film(HELD_OUT, 'up', rng, 400))


def save(path: Path, frames: list) -> None:
    """A video of 12 frames per second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    h, w = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*'mp4v')
    video = cv2.VideoWriter(str(path), codec, 12, (w, h))
    for frame in frames:
        video.write(frame)
    video.release()


def data() -> None:
    """All data sets."""
    known = json.loads((HERE / 'annotations.json').read_text())
    for split in ('train', 'val'):
        classes(split)
        things(split, known['boxes and masks'])
        areas(split, known['label map'])
        people(split, known['key points'])
        clips(split)


def strip() -> None:
    """Four pictures that predict has drawn, below them a clip by its name."""
    columns = []
    for task in ('cls', 'det', 'seg', 'pose'):
        found = sorted(Path(f'seen/{task}/pictures').glob('*'))
        if not found:
            sys.exit(f'error: seen/{task}/pictures: nothing there')
        picture = cv2.imread(str(found[0]))
        wide = round(picture.shape[1] * HEIGHT / picture.shape[0])
        columns.append(
            cv2.resize(picture, (wide, HEIGHT), interpolation=cv2.INTER_AREA)
        )
    row = np.hstack(columns)
    out = 'docs/photographs.jpg'
    joined = np.vstack([row, clip_row(row.shape[1])])
    cv2.imwrite(out, joined, [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f'{out}: {joined.shape[1]} x {joined.shape[0]}')


def clip_row(width: int) -> np.ndarray:
    """Eight frames of the clip, and what predict has said of it."""
    said = json.loads(Path('seen/video/predictions.jsonl').read_text())
    video = cv2.VideoCapture(said['source'])
    frames = [video.read()[1] for _ in range(24)][::3]
    edges = np.linspace(0, width, 9).round().astype(int)
    high = round(frames[0].shape[0] * width / 8 / frames[0].shape[1])
    row = np.hstack(
        [
            cv2.resize(f, (b - a, high), interpolation=cv2.INTER_AREA)
            for f, a, b in zip(frames, edges, edges[1:])
        ]
    )
    words = f'{said["name"]}: {100 * said["score"]:.1f}'
    cv2.rectangle(row, (0, 0), (90, 20), (0, 0, 0), -1)
    font = cv2.FONT_HERSHEY_SIMPLEX
    white = (255, 255, 255)
    cv2.putText(row, words, (5, 15), font, 0.5, white, 1, cv2.LINE_AA)
    return row


HEIGHT = 270  # of the pictures in the strip, pixels

if __name__ == '__main__':
    if sys.argv[1:] not in (['data'], ['strip']):
        sys.exit('usage: make.py data|strip')
    data() if sys.argv[1] == 'data' else strip()
