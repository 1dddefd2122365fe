"""30 faults of each layout are named, and no others are."""

import json
import math
import os
import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmuniformer.checks.every_sample import check_all

from .. import ROOT
from .common import classification, pose, whole, write_coco
from .test_every_sample import named


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replaced(make):
    def spoil(path):
        path.unlink()
        make(path)

    return spoil


# What can happen to any file.
OF_FILES = {
    'empty': lambda p: p.write_bytes(b''),
    'cut': cut,
    'a page': lambda p: p.write_text('<html>'),
    'random': lambda p: p.write_bytes(np.random.default_rng(1).bytes(999)),
    'a pipe': replaced(os.mkfifo),
    'a loop': replaced(lambda p: p.symlink_to(p.name)),
    'a link to nothing': replaced(lambda p: p.symlink_to('nowhere')),
    'a header': lambda p: p.write_bytes(p.read_bytes()[:40]),
}


def noise(path, size=(32, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    assert cv2.imwrite(str(path), picture)
    return path


def assert_named(texts, names):
    """Each of the names is in one text, and each text has one of them."""
    found = [[text for text in texts if name in text] for name in names]
    wrong = [pair for pair in zip(names, found) if len(pair[1]) != 1]
    assert not wrong
    assert not [t for t in texts if not any(n in t for n in names)]


JOINTS = [1, 1, 2] * 4
PEOPLE = [
    dict(keypoints=None), dict(keypoints='abc'), dict(keypoints=[1, 2]),
    dict(keypoints=[*JOINTS, 1, math.nan, 2]),
    dict(keypoints=[*JOINTS, math.inf, 1, 2]),
    dict(keypoints=[*JOINTS, '1', 1, 2]), dict(keypoints=[*JOINTS, 1, 1, 3]),
    dict(keypoints=[*JOINTS, 1, 1, -1]), dict(keypoints=[*JOINTS, 999, 1, 2]),
    dict(num_keypoints='5'), dict(num_keypoints=0), dict(bbox=None),
    dict(bbox=[1, 2, 3]), dict(bbox=[1, 2, 3, math.nan]),
    dict(bbox=['1', 2, 3, 4]), dict(bbox=[1, 2, -3, 4]),
    dict(bbox=[90, 2, 3, 4]), dict(bbox=[10, 2, 70, 8]),
    dict(area='7'), dict(area=math.nan), dict(iscrowd=3),
    dict(image_id=99), dict(image_id=None),
]  # fmt: skip
IMAGES = [dict(width=None), dict(height=-1), dict(file_name=None)]


def test_people(tmp_path):
    pytest.importorskip('mmpose')
    write_coco(tmp_path, pictures=34, joints=5)
    content = whole(pictures=34, joints=5)
    for image, fields in zip(content['images'][-3:], IMAGES):
        image.update(fields)
    del content['annotations'][-6:]
    for i, fields in enumerate(PEOPLE):
        content['annotations'][2 * i].update(fields)
    content['annotations'][60]['id'] = content['annotations'][61]['id']
    (tmp_path / 'train.json').write_text(json.dumps(content))
    noise(tmp_path / 'img/30.png', (40, 32))
    (tmp_path / 'img/31.png').write_bytes(b'\x89PNG')
    (tmp_path / 'img/29.png').unlink()
    done = check_all(pose(tmp_path), ('train',), workers=1)
    people = [content['annotations'][2 * i]['id'] for i in range(len(PEOPLE))]
    assert_named(
        named(done),
        [
            *(f'annotation {number}:' for number in people),
            f'annotation {content["annotations"][61]["id"]}:',
            *(f'image {number}:' for number in (32, 33, 34)),
            *('img/29.png', 'img/30.png', 'img/31.png'),
        ],
    )


# What a label map of ADE20K may not be.
MAPS = {
    'of colours': lambda m: np.stack([m] * 3, -1),
    'of colours and alpha': lambda m: np.stack([m] * 4, -1),
    'of no class': lambda m: m + 150,
    'of one value': lambda m: np.full_like(m, 151),
    'wide': lambda m: m.astype(np.uint16) + 256,
    'wider': lambda m: np.pad(m, ((0, 0), (0, 1)), 'edge'),
    'higher': lambda m: np.pad(m, ((0, 1), (0, 0)), 'edge'),
    'turned': lambda m: np.ascontiguousarray(m.T),
    'of one pixel': lambda m: m[:1, :1],
    'halved': lambda m: np.ascontiguousarray(m[::2, ::2]),
}


def test_label_maps(tmp_path):
    pytest.importorskip('mmseg')
    rng = np.random.default_rng(0)
    pictures = tmp_path / 'images/training'
    maps = tmp_path / 'annotations/training'
    maps.mkdir(parents=True)
    for i in range(40):
        noise(pictures / f'p{i}.jpg')
        values = rng.integers(0, 151, (32, 48), np.uint8)
        cv2.imwrite(str(maps / f'p{i}.png'), values)
    places = iter(range(0, 40))
    names = []
    for fault, spoil in OF_FILES.items():
        for folder, ending in ((pictures, 'jpg'), (maps, 'png')):
            if fault == 'a loop' and folder is pictures:
                continue  # mmseg cannot list the others then
            path = folder / f'p{next(places)}.{ending}'
            spoil(path)
            names.append(str(path))
    for change in MAPS.values():
        path = maps / f'p{next(places)}.png'
        cv2.imwrite(str(path), change(rng.integers(1, 6, (32, 48), np.uint8)))
        names.append(str(path))
    for ending in ('.PNG', '.bmp'):
        path = maps / f'p{next(places)}.png'
        path.rename(path.with_suffix(ending))
        names.append(str(path))
    path = maps / f'p{next(places)}.png'
    path.unlink()
    noise(pictures / 'q.tif')
    cv2.imwrite(str(maps / 'r.png'), values)
    names += [str(path), 'q.tif', str(maps / 'r.png')]
    assert len(names) == 30
    cfg = Config.fromfile(ROOT / 'configs/seg/fpn_uniformer_toy.py')
    cfg.train_dataloader.dataset.data_root = str(tmp_path)
    assert_named(named(check_all(cfg, ('train',), workers=1)), names)


ENDINGS = ('.jpg', '.png', '.bmp', '.ppm')


def test_folders_of_classes(tmp_path):
    pytest.importorskip('mmpretrain')
    names = []
    for i, spoil in enumerate(OF_FILES.values()):
        for ending in ENDINGS[: 3 + (i < 2)]:
            noise(tmp_path / f'train/{i % 3}/good{i}{ending}')
            path = noise(tmp_path / f'train/{i % 3}/bad{i}{ending}')
            spoil(path)
            names.append(str(path))
    for ending in ('.webp', '.tiff', '.mp4'):
        path = tmp_path / f'train/0/other{ending}'
        path.write_bytes(b'of no ending that counts')
        names.append(path.name)
    (tmp_path / 'train/3').mkdir()
    names.append(str(tmp_path / 'train/3'))
    assert len(names) == 30
    done = check_all(classification(tmp_path, 4), ('train',), workers=1)
    assert_named(named(done), names)


# Lines of a list, and whether their numbers are named or their files.
LINES = {
    '{}': 'line', '{} cat': 'line', '{} -1': 'line', '{} 3': 'line',
    '{} 99': 'line', '{} 1.5': 'line', '{} 0x1': 'line', '{},1': 'line',
    '{}\t1': 'line', '1 {}': 'line', '': 'line', '{} nan': 'line',
    '{} 1;': 'line', '{0} 1\n{0} 2': 'line', '{}  1': 'file',
    'x{} 1': 'file', 'x/{} 1': 'file', 'c\\{} 1': 'file',
    '{}.JPG 1': 'file', '{} 0 1': 'file', '"{}" 1': 'file',
    'file:{} 1': 'file',
}  # fmt: skip


def write_list(path, ending, make, spoiled, lines):
    """A list of files, good and bad ones; the names of the bad ones."""
    text, names = [], []
    for i, spoil in enumerate(spoiled):
        file = make(path.parent / f'train/spoiled{i}{ending}')
        spoil(file)
        text += [f'{file.name} 1']
        names.append(str(file))
    for i, (line, kind) in enumerate(lines.items()):
        good = make(path.parent / f'train/good{i}{ending}')
        file = make(path.parent / f'train/line{i}{ending}')
        text += [f'{good.name} {i % 3}', *line.format(file.name).split('\n')]
        wanted = f', line {len(text)}:'
        names.append(wanted if kind == 'line' else f'line{i}{ending}')
    path.write_text('\n'.join(text) + '\n')
    return names


def test_a_list_of_pictures(tmp_path):
    pytest.importorskip('mmpretrain')
    names = write_list(
        tmp_path / 'train.txt', '.jpg', noise, OF_FILES.values(), LINES
    )
    assert len(names) == 30
    cfg = classification(
        tmp_path,
        ann_file='train.txt',
        data_prefix=dict(img_path='train'),
    )
    assert_named(named(check_all(cfg, ('train',), workers=1)), names)


# A tab counts as a blank in lists of videos, and many as one; empty lines
# are left out.
OF_VIDEOS = {
    line: kind
    for line, kind in LINES.items()
    if line and line not in ('{}\t1', '{}  1')
}
MORE_OF_VIDEOS = {
    'frames of a folder': replaced(lambda p: p.mkdir()),
    'gone': lambda p: p.unlink(),
    'another ending': lambda p: p.rename(p.with_suffix('.MP4')),
}


def test_a_list_of_videos(tmp_path):
    pytest.importorskip('mmaction')
    from ..hosts.videos import write_video
    from .test_video_lists import config

    first = tmp_path / 'first.mp4'
    write_video(first)

    def make(path):
        path.parent.mkdir(exist_ok=True)
        return shutil.copy(first, path) and path

    spoiled = [*OF_FILES.values(), *MORE_OF_VIDEOS.values()]
    names = write_list(
        tmp_path / 'train.csv', '.mp4', make, spoiled, OF_VIDEOS
    )
    assert len(names) == 30
    cfg = config(tmp_path, 3, delimiter=' ')
    assert_named(named(check_all(cfg, ('train',), workers=1)), names)
