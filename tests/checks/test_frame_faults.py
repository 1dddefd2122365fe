"""30 faults of folders of frames are named, and no others."""

import os
import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmuniformer.checks.every_sample import check_all

from .. import ROOT

pytest.importorskip('mmaction')
FRAMES = 4


def cut(path):
    path.write_bytes(path.read_bytes()[:-300])


def small(path):
    cv2.imwrite(str(path), np.zeros((16, 16, 3), np.uint8))


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()


def loop(path):
    path.unlink()
    path.symlink_to(path.name)


# Of the first frame, one in the middle and the last one.
OF_FRAMES = {
    'empty': lambda p: p.write_bytes(b''),
    'cut': cut,
    'a page': lambda p: p.write_text('<html>'),
    'random': lambda p: p.write_bytes(os.urandom(999)),
    'gone': lambda p: p.unlink(),
    'small': small,
    'a pipe': pipe,
    'a folder': folder,
    'a loop': loop,
    'another name': lambda p: p.rename(p.with_suffix('.JPG')),
}
# Lines of the list; `{}` is the folder.
LINES = {
    'no label': '{} 4',
    'a label of text': '{} 4 run',
    'a label below 0': '{} 4 -1',
    'a label of nobody': '{} 4 99',
    'frames of text': '{} four 1',
    'no frames': '{} 0 1',
    'more frames than there are': '{} 9 1',
    'a fraction': '{} 4 1.5',
    'another folder': '{}x 4 1',
    'one column': '{}',
    'fewer frames than there are': '{} 3 1',
}


def spoil_folder(path):
    shutil.rmtree(path)
    path.write_text('a file')


def write(root, faults):
    """A folder and a line for each fault, and good ones between them."""
    rng = np.random.default_rng(0)
    lines = []
    for i, fault in enumerate(faults):
        clip = root / 'frames' / f'c{i}'
        clip.mkdir(parents=True)
        for k in range(1, FRAMES + 1):
            frame = rng.integers(0, 255, (32, 48, 3), np.uint8)
            cv2.imwrite(str(clip / f'{k:05}.jpg'), frame)
        line = f'c{i} {FRAMES} 1'
        if fault in LINES:
            line = LINES[fault].format(f'c{i}')
        elif fault == 'a file':
            spoil_folder(clip)
        elif fault == 'two labels':
            line += f'\nc{i} {FRAMES} 2'
        elif fault:
            kind, k = fault
            OF_FRAMES[kind](clip / f'{k:05}.jpg')
        lines.append(line)
    (root / 'train.txt').write_text('\n'.join(lines))


def config(root):
    cfg = Config.fromfile(
        ROOT / 'configs/video/uniformer_b_16_ssv1_prek400.py'
    )
    cfg.model.cls_head.num_classes = 5
    cfg.model.data_preprocessor.pop('blending')
    own = cfg.train_dataloader.dataset
    own.update(
        ann_file=str(root / 'train.txt'),
        data_prefix=dict(img=str(root / 'frames')),
    )
    return cfg


def texts(root):
    done = check_all(config(root), ('train',), workers=1)
    return [
        text
        for one in done['findings']
        if one['where'].startswith('train data')
        for text in one['examples']
    ]


def test_30_faults(tmp_path):
    places = {kind: (1, 3)[i % 2] for i, kind in enumerate(OF_FRAMES)}
    faults = [
        *places.items(),
        *((kind, FRAMES) for kind in [*OF_FRAMES][:7]),
        *LINES, 'a file', 'two labels',
    ]  # fmt: skip
    assert len(faults) == 30
    write(tmp_path, [x for fault in faults for x in (fault, None)])
    found = texts(tmp_path)
    for i, fault in enumerate(faults):
        name = f'c{2 * i}'
        own = [
            text
            for text in found
            if f'{name}/' in text or f'{name}x' in text or f"{name}'" in text
            or f"'{name} " in text or f', line {2 * i + 1}:' in text
        ]  # fmt: skip
        assert own, (fault, found)
        assert not any(f'c{2 * i + 1}/' in text for text in found), fault
    good = {f"c{2 * i + 1}'" for i in range(30)}
    assert not any(name in text for text in found for name in good)
    assert len(found) == 30, found
