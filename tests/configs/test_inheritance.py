"""How configs inherit: few levels, four bases, and no surprises."""

import re

import pytest
from mmengine.config import Config

from mmuniformer import settings
from mmuniformer.settings import on_load  # noqa: F401

from .. import ROOT
from .test_configs import LEAVES, name

FILES = sorted((ROOT / 'configs').rglob('*.py'))
BASE = re.compile(r"'([^']+\.py)'")
TRICKS = re.compile(
    r'^\s*(for )?__\w+|\b_base_\.[\w.]+(\[.*\])?\s*=[^=]'
    r'|_base_\..*\.(pop|update|insert)\(|pipeline\[',
    re.M,
)
FOLDERS = ('models', 'datasets', 'schedules', '.')
LIKE = {
    'cls': ('cls_uniformer', 'imagenet', 'cls_', 'cls_runtime'),
    'det': ('rcnn_uniformer', 'coco_instance', 'det_', 'det_runtime'),
    'seg': ('fpn_uniformer', 'ade20k_', 'seg_', 'seg_runtime'),
    'pose': ('topdown_', 'coco_keypoints', 'pose_', 'pose_runtime'),
    'video': ('video_', 'kinetics', 'video_', 'video_runtime'),
}


def bases(path):
    """The files that one inherits."""
    found = re.search(
        r'^_base_ = (\[.*?\]|.*?$)', path.read_text(), re.M | re.S
    )
    text = found[1] if found else ''
    return [(path.parent / base).resolve() for base in BASE.findall(text)]


def levels(path):
    return 1 + max(map(levels, bases(path)), default=0)


@pytest.mark.parametrize('leaf', LEAVES, ids=name)
def test_four_bases_and_three_levels(leaf):
    folders = [base.parent.name for base in bases(leaf)]
    if not folders:
        return  # of pure Python
    assert folders == ['models', 'datasets', 'schedules', '_base_']
    assert levels(leaf) <= 3


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_no_tricks(path):
    assert not TRICKS.search(path.read_text())


def test_what_a_trick_is():
    for line in (
        '__crop = 3',
        'for __loader in x:',
        '_base_.train_cfg.max_epochs = 3',
        '_base_.default_hooks.pop(x)',
        'train_pipeline[1].scale = 3',
    ):
        assert TRICKS.search(line), line


@pytest.mark.parametrize('task', LIKE)
def test_any_base_can_be_exchanged(task, tmp_path):
    """Each of a task's, in place of the one that comes first."""
    kinds = [
        [
            path
            for path in sorted((ROOT / 'configs/_base_' / folder).glob('*.py'))
            if part in path.stem
        ]
        for folder, part in zip(FOLDERS, LIKE[task])
    ]
    assert all(kinds)
    first = [paths[0] for paths in kinds]
    mixes = [
        [*first[:i], path, *first[i + 1 :]]
        for i, paths in enumerate(kinds)
        for path in paths
    ]
    for number, parts in enumerate(mixes):
        path = tmp_path / f'{number}.py'
        path.write_text(f'_base_ = {list(map(str, parts))}')
        cfg = Config.fromfile(path, format_python_code=False)
        assert {'model', 'train_dataloader', 'optim_wrapper'} <= set(cfg)


@pytest.mark.parametrize('leaf', LEAVES, ids=name)
def test_test_follows_validation(leaf):
    """And the named pipelines are those that are used."""
    cfg = Config.fromfile(leaf)
    assert settings.strays(cfg) == []
    for split in ('train', 'test'):
        pipeline = cfg[f'{split}_dataloader'].dataset.pipeline
        assert cfg[f'{split}_pipeline'] == pipeline


def test_who_changes_one_is_told_of_the_other(tmp_path):
    path = tmp_path / 'mine.py'
    base = ROOT / 'configs/det/mask_rcnn_uniformer_s.py'
    path.write_text(
        f'_base_ = {str(base)!r}\n'
        "val_dataloader = dict(dataset=dict(data_root='mine'))\n"
        'train_pipeline = []\n'
    )
    first, second = settings.strays(Config.fromfile(path))
    assert "dataset.data_root: 'mine' and 'data/coco/'" in first
    assert 'train_pipeline is not the pipeline of train_dataloader' in second


def test_hooks_of_ones_own_leave_ours(tmp_path):
    path = tmp_path / 'mine.py'
    base = ROOT / 'configs/det/mask_rcnn_uniformer_s.py'
    path.write_text(
        f"_base_ = {str(base)!r}\ncustom_hooks = [dict(type='EMAHook')]\n"
    )
    cfg = Config.fromfile(path)
    assert [hook.type for hook in cfg.custom_hooks] == ['EMAHook']
    ours = {hook.type for hook in cfg.default_hooks.values()}
    assert ours >= {
        'mmuniformer.LoadReportHook',
        'mmuniformer.SameBuffersHook',
        'mmuniformer.MergedGroupsHook',
    }
