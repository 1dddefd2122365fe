"""The configs of docs/your_data.md pass the checks on the layouts there."""

import re

import pytest
from mmengine.config import Config

from .. import ROOT
from .common import errors, picture, warnings, write_coco, write_label_maps

TEXT = (ROOT / 'docs/your_data.md').read_text()
BLOCKS = re.findall(r'```python\n(.*?)```', TEXT, re.DOTALL)
HOSTS = ['mmpretrain', 'mmdet', 'mmseg', 'mmpose', 'mmaction']


def write(host, root):
    for split in ('train', 'val'):
        if host == 'mmpretrain':
            for name in ('cat', 'dog'):
                picture(root / split / name / '1.jpg')
        elif host == 'mmseg':
            write_label_maps(root / split, (0, 1, 2))
            for kind in ('img', 'ann'):
                (root / kind).mkdir(exist_ok=True)
                (root / split / kind).rename(root / kind / split)
            (root / split).rmdir()
        elif host == 'mmaction':
            for name in ('jump', 'run'):
                for i in range(2):
                    path = root / split / name / f'{i}.mp4'
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(b'as far as names go')
    if host in ('mmdet', 'mmpose'):
        write_coco(root, joints=3 * (host == 'mmpose'))
        (root / 'img').rename(root / 'images')


@pytest.mark.parametrize('host', HOSTS)
def test_config(host, tmp_path, monkeypatch):
    pytest.importorskip(host)
    monkeypatch.chdir(tmp_path)
    write(host, tmp_path / 'data/mine')
    text = BLOCKS[HOSTS.index(host)].replace('configs/', f'{ROOT}/configs/')
    (tmp_path / 'my.py').write_text(text)
    cfg = Config.fromfile('my.py')
    assert cfg.default_scope == host
    assert not errors(cfg, ('train', 'val', 'test'))
    assert not warnings(cfg, ('train', 'val', 'test'))
