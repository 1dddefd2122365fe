"""What the network is fed, seen: all tasks of the toy world."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmuniformer.analysis import browse
from mmuniformer.analysis.browse import Browser

from .. import ROOT

HOSTS = ('mmdet', 'mmseg', 'mmpose', 'mmpretrain')
if not all(map(find_spec, HOSTS)):
    pytest.skip(f'needs {", ".join(HOSTS)}', allow_module_level=True)
TOYS = (
    'cls/uniformer_toy',
    'det/mask_rcnn_uniformer_toy',
    'seg/fpn_uniformer_toy',
    'pose/topdown_uniformer_toy',
)


@pytest.mark.parametrize('name', TOYS)
def test_pictures_of_a_toy(name, toy_data, tmp_path, monkeypatch):
    (tmp_path / 'data').symlink_to(toy_data)
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(ROOT / f'configs/{name}.py')
    browser = Browser(cfg)
    pictures = list(browser.pictures(3))
    assert len(pictures) == 3
    for _, picture in pictures:
        assert picture.dtype == np.uint8 and picture.std() > 10


def test_normalisation_is_undone(toy_data, tmp_path, monkeypatch):
    """To the byte, where the pipeline changes nothing."""
    (tmp_path / 'data').symlink_to(toy_data)
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(ROOT / 'configs/seg/fpn_uniformer_toy.py')
    browser = Browser(cfg, 'test')
    sample = browser.dataset[0]
    raw = sample['inputs'].permute(1, 2, 0).flip(-1).numpy()
    fed = browser.prepare(
        dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']])
    )
    assert isinstance(fed['inputs'], torch.Tensor)
    assert (browser.undo(fed['inputs'][0]) == raw).all()


@pytest.mark.parametrize('channels', [1, 4])
def test_pictures_of_other_channels(channels):
    x = torch.full((channels, 2, 2), 5.0)
    assert browse.undo(None, x, 'mmdet', True).shape == (2, 2, 3)
