"""Every sample of a config is opened; planted faults are named, no others."""

import json
import math
import shutil
import signal

import cv2
import numpy as np
import pytest

from mmuniformer.checks import every_sample, report
from mmuniformer.checks.every_sample import check_all

from .common import (
    classification,
    detection,
    picture,
    segmentation,
    whole,
    write_coco,
    write_folders,
    write_label_maps,
)

pytest.importorskip('mmdet')
pytest.importorskip('mmseg')
pytest.importorskip('mmpretrain')

OBJECTS = [
    dict(category_id=99), dict(category_id=None), dict(image_id=99),
    dict(image_id=None), dict(bbox=None), dict(bbox=[1, 2, 3]),
    dict(bbox=[1, 2, 3, math.nan]), dict(bbox=[1, 2, math.inf, 4]),
    dict(bbox=['1', 2, 3, 4]), dict(bbox=[1, 2, -3, 4]),
    dict(bbox=[90, 2, 3, 4]), dict(bbox=[1, 2, 0.5, 4]),
    dict(bbox=[10, 2, 70, 8]), dict(area='7'), dict(area=math.nan),
    dict(area=0), dict(iscrowd=3), dict(segmentation=[1, 2, 3, 4, 5, 6]),
    dict(segmentation=[[1, 2, 3, 4, 5, None]]),
    dict(segmentation=[[1, 2, 3, 4, 5, math.nan]]),
    dict(segmentation=[[1, 2, 3, 4, 5, 1e8]]),
    dict(segmentation=dict(size=[48, 32], counts='abc')),
    dict(segmentation=[[1, 2, 3, 4]]),
]  # fmt: skip
IMAGES = [dict(width=None), dict(height=-1), dict(file_name=None)]


def named(done, split='train'):
    """Texts of all that is found in a split."""
    return [
        text
        for one in done['findings']
        if one['where'].startswith(f'{split} data')
        for text in one['examples']
    ]


def test_30_faults_of_an_annotation_file(tmp_path):
    content = whole(pictures=34)
    for image, fields in zip(content['images'][-3:], IMAGES):
        image.update(fields)
    del content['annotations'][-6:]
    for i, fields in enumerate(OBJECTS):
        content['annotations'][2 * i].update(fields)
    content['annotations'][60]['id'] = content['annotations'][61]['id']
    write_coco(tmp_path, pictures=34)
    (tmp_path / 'train.json').write_text(json.dumps(content))
    (tmp_path / 'img/31.png').write_bytes(b'\x89PNG')
    picture(tmp_path / 'img/30.png', 40, 32)
    (tmp_path / 'img/29.png').unlink()

    done = check_all(detection(tmp_path), ('train',), workers=1)
    texts = named(done)
    assert len(texts) == 23 + 3 + 1 + 3, texts
    for i in range(len(OBJECTS)):
        number = content['annotations'][2 * i]['id']
        assert sum(f'annotation {number}:' in text for text in texts) == 1
    for name in ('29.png', '30.png', '31.png'):
        assert sum(name in text for text in texts) == 1, name
    assert [x for x in done['findings'] if not x['where']] == []


def test_good_data_have_no_findings(tmp_path):
    cfgs = [
        detection(write_coco(tmp_path / 'det')),
        segmentation(write_label_maps(tmp_path / 'seg')),
        classification(write_folders(tmp_path / 'cls')),
    ]
    for cfg in cfgs:
        done = check_all(cfg, workers=1)
        assert not done['findings']
        assert len(done['data']) == 2  # the test is that of validation
        json.dumps(done)
    report.plot(done, str(tmp_path / 'a.png'))
    assert (tmp_path / 'a.png').stat().st_size > 1000
    assert '3 classes (a 2, b 2, c 2)' in report.lines(done)[0]


def test_faults_of_label_maps(tmp_path):
    root = write_label_maps(tmp_path, pictures=40)
    (root / 'img/1.jpg').write_bytes((root / 'img/0.jpg').read_bytes()[:-99])
    (root / 'ann/2.png').write_bytes(b'\x89PNG')
    (root / 'ann/3.png').unlink()
    picture(root / 'ann/4.png')
    picture(root / 'img/5.jpg', 40, 32)
    cv2.imwrite(str(root / 'ann/6.png'), np.full((32, 48), 7, np.uint8))
    cv2.imwrite(str(root / 'ann/7.png'), np.full((32, 48), 300, np.uint16))
    shutil.move(root / 'img/8.jpg', root / 'img/8.JPG')
    done = check_all(segmentation(root), ('train',), workers=2)
    texts = named(done)
    wanted = [
        "'%s' cannot be read" % (root / 'img/1.jpg'), 'ann/2.png', '3.png',
        'ann/4.png', 'img/5.jpg', 'ann/6.png', 'ann/7.png', '8.JPG',
        'ann/8.png',
    ]  # fmt: skip
    for name in wanted:
        assert sum(name in text for text in texts) == 1, (name, texts)
    assert len(texts) == len(wanted), texts


def test_broken_pictures_of_classes(tmp_path):
    root = write_folders(tmp_path, files=3)
    path = root / 'train/a/1.jpg'
    cv2.imwrite(str(path), np.random.randint(0, 255, (99, 99, 3)))
    path.write_bytes(path.read_bytes()[:-900])
    (root / 'train/b/1.jpg').write_bytes(b'')
    done = check_all(classification(root), ('train',), workers=1)
    assert len(named(done)) == 2
    # A header says nothing of a picture that is cut off.
    done = check_all(classification(root), ('train',), fast=True, workers=1)
    assert len(named(done)) == 1


@pytest.fixture
def clips(tmp_path):
    pytest.importorskip('mmaction')
    from ..hosts.videos import write_video

    for name in ('a/0', 'a/1', 'b/0', 'b/1'):
        write_video(tmp_path / f'train/{name}.mp4')
    return tmp_path


def handler(_):
    return signal.getsignal(signal.SIGTERM)


def test_processes_that_a_training_starts_can_be_ended(monkeypatch):
    monkeypatch.setattr(every_sample, '_open_chunk', handler)
    tasks = [None] * (every_sample.CHUNK + 1)
    old = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        seen = list(every_sample._opened(tasks, True, 2))
    finally:
        signal.signal(signal.SIGTERM, old)
    assert seen == [signal.SIG_DFL, signal.SIG_DFL]


def test_broken_videos(clips):
    from .test_video_lists import config

    path = clips / 'train/b/1.mp4'
    path.write_bytes(path.read_bytes()[:600])
    cfg = config(clips, 2)
    cfg.train_dataloader.dataset.ann_file = ''
    done = check_all(cfg, ('train',), workers=1)
    assert len(named(done)) == 1 and 'b/1.mp4' in named(done)[0]
    assert done['data'][0]['clip_lengths']
