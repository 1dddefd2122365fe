"""Folders of pictures and label maps that do not fit."""

import re
import shutil

import pytest
from mmengine.config import Config

from mmuniformer.checks import classes as class_checks
from mmuniformer.checks import data as data_checks
from mmuniformer.errors import UserError

from .. import ROOT

pytest.importorskip('mmpretrain')
from .test_mmpretrain import folder, label_maps


@pytest.fixture
def data(toy_data, tmp_path):
    shutil.copytree(toy_data / 'imagenet', tmp_path / 'imagenet')
    return tmp_path


def load(name, data):
    cfg = Config.fromfile(ROOT / f'configs/cls/{name}.py')
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(data / 'imagenet')
    return cfg


def check(cfg):
    data_checks.check_data(cfg, ('train', 'val'))
    class_checks.check_classes(cfg, ('train', 'val'))


def test_the_toy_config_fits(data):
    check(load('uniformer_toy', data))


def test_both_counts_of_a_folder_that_is_not_imagenet(data):
    cfg = load('uniformer_s', data)
    with pytest.raises(UserError, match=r'8 folders .* has 1000 classes'):
        check(cfg)


def test_both_counts_of_a_head_for_other_data(data):
    cfg = folder(load('uniformer_s', data), data, classes=5)
    with pytest.raises(UserError, match=r'8 classes, .*but .*num_classes=5'):
        check(cfg)


@pytest.fixture
def flowers(tmp_path):
    """The docs' config for a data set of three classes, and the data."""
    for split in ('train', 'val'):
        for name in ('daisy', 'rose', 'tulip'):
            folder = tmp_path / 'data/my_flowers' / split / name
            folder.mkdir(parents=True)
            (folder / '1.jpg').touch()
    text = (ROOT / 'docs/train.md').read_text()
    config = re.search(r"_base_ = 'configs/cls/uniformer_s_fine[^`]*", text)[0]
    assert len(config.splitlines()) <= 5
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    (tmp_path / 'flowers.py').write_text(config)
    return tmp_path


def test_folders_of_your_own(flowers, monkeypatch):
    monkeypatch.chdir(flowers)
    cfg = Config.fromfile('flowers.py')
    check(cfg)
    datasets = [
        cfg[f'{split}_dataloader'].dataset
        for split in ('train', 'val', 'test')
    ]
    assert {x.data_root for x in datasets} == {'data/my_flowers'}
    assert {x.type for x in datasets} == {'CustomDataset'}
    assert cfg.model.head.num_classes == 3


@pytest.mark.parametrize(
    ('change', 'wanted'),
    [
        (lambda data: (data / 'train/lily').mkdir(), 'has 4 classes, .*but'),
        (
            lambda data: (data / 'val/rose').rename(data / 'val/lily'),
            'val data: its classes .* of the train data .*only.* lily, rose',
        ),
        (
            lambda data: shutil.rmtree(data / 'val/rose'),
            r'val data: CustomDataset has 2 classes, .*\(other classes\)',
        ),
    ],
    ids=['more', 'other', 'less'],
)
def test_other_folders_than_expected(flowers, monkeypatch, change, wanted):
    monkeypatch.chdir(flowers)
    change(flowers / 'data/my_flowers')
    with pytest.raises(UserError, match=wanted):
        check(Config.fromfile('flowers.py'))


def test_a_folder_without_classes(data):
    shutil.rmtree(data / 'imagenet/train')
    (data / 'imagenet/train').mkdir()
    with pytest.raises(UserError, match='no folders in'):
        check(load('uniformer_toy', data))


def test_no_data(tmp_path):
    with pytest.raises(UserError, match=r'ImageNet-1K .* --layouts imagenet'):
        check(load('uniformer_s', tmp_path))


def test_no_label_maps(data):
    cfg = folder(load('uniformer_s_tl', data), data)
    shutil.rmtree(label_maps(data))
    with pytest.raises(UserError, match='make_token_labels'):
        check(cfg)


def test_a_picture_without_a_label_map(data):
    cfg = folder(load('uniformer_s_tl', data), data)
    check(cfg)
    first = next(label_maps(data).glob('*/*.pt'))
    first.unlink()
    with pytest.raises(UserError, match=f'no label map .*{first.name}'):
        check(cfg)


def test_a_corrupt_picture_is_named(data, run_tool, tmp_path):
    for path in (data / 'imagenet/train').glob('*/*.JPEG'):
        path.write_bytes(b'no picture')
    done = run_tool(
        'train.py',
        ROOT / 'configs/cls/uniformer_toy.py',
        '--work-dir',
        tmp_path / 'work',
        '--cfg-options',
        'train_dataloader.batch_size=2',
        f'train_dataloader.dataset.data_root={data / "imagenet"}',
        f'val_dataloader.dataset.data_root={data / "imagenet"}',
    )
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ') and '.JPEG' in last
