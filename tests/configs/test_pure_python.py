"""The configs of pure Python are equal to the plain ones."""

import re

import pytest
from mmengine.config import Config

from mmuniformer.settings import on_load  # noqa: F401

from .. import ROOT

LEAVES = sorted((ROOT / 'configs/pure_python').glob('*.py'))


def test_one_for_each_task():
    tasks = {re.search(r'configs/(\w+)/', p.read_text())[1] for p in LEAVES}
    assert tasks == {'cls', 'det', 'seg', 'pose', 'video'}


@pytest.mark.parametrize('leaf', LEAVES, ids=lambda path: path.stem)
def test_equal_to_the_plain_one(leaf):
    plain = re.search(r'of (configs/\S+\.py)', leaf.read_text())[1]
    found = Config.fromfile(leaf).to_dict()
    assert found == Config.fromfile(ROOT / plain).to_dict()


def test_short_keys_of_a_file_in_this_style(tmp_path):
    """Of the file that is read; bases of this style are plain modules."""
    path = ROOT / 'configs/pure_python/mask_rcnn_uniformer_s.py'
    for base in ('_base_', 'pure_python'):
        (tmp_path / base).symlink_to(ROOT / 'configs' / base)
    folder = tmp_path / 'mine'
    folder.mkdir()
    mine = folder / 'mine.py'
    mine.write_text(path.read_text() + '\nepochs = 6\n')
    cfg = Config.fromfile(mine)
    assert cfg.train_cfg.max_epochs == 6 and 'epochs' not in cfg
    assert list(cfg.param_scheduler[1].milestones) == [4, 6]
