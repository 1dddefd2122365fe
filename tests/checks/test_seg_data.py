"""Segmentation data that does not fit speaks before any long work."""

import shutil
from collections import Counter
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn

from mmuniformer.checks import (
    classes as class_checks,
)
from mmuniformer.checks import (
    data as data_checks,
)
from mmuniformer.checks import (
    datasets,
    label_values,
    models,
)
from mmuniformer.checks.findings import Findings
from mmuniformer.engine import LabelCheckHook
from mmuniformer.errors import LocalUserError, UserError

from .. import ROOT
from .common import (
    errors,
    picture,
    segmentation,
    warnings,
    write_label_maps,
)

needs_mmseg = pytest.mark.skipif(
    find_spec('mmseg') is None, reason='needs mmseg'
)
RECIPE = ROOT / 'configs/seg/upernet_uniformer_s.py'


def config(root, *options):
    cfg = Config.fromfile(RECIPE)
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(root)
    cfg.merge_from_dict(dict(options))
    return cfg


@pytest.fixture
def root(toy_data, tmp_path):
    """A copy to break."""
    source = toy_data / 'ade/ADEChallengeData2016'
    return shutil.copytree(source, tmp_path / 'ade')


@needs_mmseg
def test_good_data_passes(root):
    data_checks.check_data(config(root), ('train', 'val'))
    class_checks.check_classes(config(root), ('train', 'val'))


@needs_mmseg
def test_no_data_says_where_to_get_it(tmp_path):
    wanted = r'ADEChallengeData2016\.zip.*make_toyworld\.py --layouts ade'
    with pytest.raises(UserError, match=wanted):
        data_checks.check_data(config(tmp_path), ('train',))


@needs_mmseg
def test_no_pictures(root):
    for path in (root / 'images/training').iterdir():
        path.rename(path.with_suffix('.jpeg'))
    with pytest.raises(UserError, match=r"no picture \*\.jpg in '.*training'"):
        data_checks.check_data(config(root), ('train',))


@needs_mmseg
def test_a_picture_without_label_map(root):
    (root / 'annotations/training/ADE_train_00000003.png').unlink()
    wanted = r'1 of 6 pictures have no label map; .*ADE_train_00000003\.png'
    with pytest.raises(UserError, match=wanted):
        data_checks.check_data(config(root), ('train',))


@needs_mmseg
@pytest.mark.parametrize('head', ['decode_head', 'auxiliary_head'])
def test_a_head_for_other_classes(tmp_path, head):
    cfg = config(tmp_path, (f'model.{head}.num_classes', 19))
    wanted = (
        f'train data: ADE20KDataset has 150 classes, but '
        f'model.{head}.num_classes=19; set model.{head}.num_classes=150'
    )
    with pytest.raises(UserError, match=wanted):
        class_checks.check_classes(cfg, ('train',))


@needs_mmseg
def test_data_with_other_classes(tmp_path):
    cfg = config(tmp_path)
    cfg.test_dataloader.dataset.metainfo = dict(classes=('wall', 'sky'))
    class_checks.check_classes(cfg, ('train', 'val'))
    wanted = r'test data: .* 2 classes, but model\.decode_head.*=150'
    with pytest.raises(UserError, match=wanted):
        class_checks.check_classes(cfg, ('test',))
    cfg.model = dict(type='SegTTAModel', module=cfg.model)
    with pytest.raises(UserError, match=r'model\.module\.decode_head'):
        class_checks.check_classes(cfg, ('test',))


def test_heads_of_detectors():
    heads = dict(
        rpn_head=dict(num_classes=1),
        roi_head=dict(
            bbox_head=[dict(num_classes=80), dict(num_classes=80)],
            mask_head=dict(num_classes=3),
        ),
    )
    assert list(models.class_counts(heads)) == [
        ('model.roi_head.bbox_head.0.num_classes', 80),
        ('model.roi_head.bbox_head.1.num_classes', 80),
        ('model.roi_head.mask_head.num_classes', 3),
    ]


def test_toy_world_is_known_by_its_marker(root, tmp_path):
    assert datasets.is_toyworld(config(root))
    assert not datasets.is_toyworld(config(tmp_path))


@needs_mmseg
@pytest.mark.parametrize(
    'values, options, wanted',
    [
        ((0, 1), {}, ''),
        ((0, 1, 255), {}, ''),
        ((0, 255), {}, 'class 1 (class 1) never occurs'),
        ((255,), {}, '0 (class 0), 1 (class 1) never occur'),
        ((0, 1), dict(reduce_zero_label=True), 'never occurs'),
        ((1, 2), dict(reduce_zero_label=True), ''),
        ((0, 1, 2), dict(reduce_zero_label=True), ''),
        ((1, 2), {}, 'label 2 in the file'),
        ((0, 128), {}, 'label 128 in the file'),
    ],
)
def test_values_of_label_maps(tmp_path, values, options, wanted):
    cfg = segmentation(write_label_maps(tmp_path, values), **options)
    lines = errors(cfg, ('train',))
    assert (lines and wanted in lines[0]) if wanted else not lines, lines


@needs_mmseg
@pytest.mark.parametrize(
    'values, said', [((0, 1, 255), True), ((0, 1), False), ((0, 255), False)]
)
def test_the_ignored_label_in_the_place_of_a_class(values, said):
    names = 'wall', 'sky', 'tree'
    found = Findings()
    labels = label_values.Labels(3, names, 255, False, None)
    label_values.check_seen(Counter(values), labels, 'a.png', found)
    warned = [f.text for f in found if not f.error]
    assert [t[:23] for t in warned] == ['class 2 (tree) never oc'] * said


@needs_mmseg
@pytest.mark.parametrize('add, wrong', [(0, False), (256, True)])
def test_labels_of_16_bits(tmp_path, add, wrong):
    values = (add, add + 1)
    root = write_label_maps(tmp_path, values, dtype=np.uint16)
    lines = errors(segmentation(root), ('train',))
    assert bool(lines) is wrong
    assert not wrong or 'more than 8 bits' in lines[0]


@needs_mmseg
def test_label_maps_in_colours_and_of_another_size(tmp_path):
    root = write_label_maps(tmp_path)
    picture(root / 'ann/0.png')
    assert 'has colours (mode RGB)' in errors(segmentation(root))[0]
    shutil.copy(root / 'ann/1.png', root / 'ann/0.png')
    picture(root / 'img/1.jpg', 40, 32)
    line = errors(segmentation(root))[0]
    assert "1.png' is 48 x 32, but its picture" in line and '40 x 32' in line


@needs_mmseg
def test_a_palette_and_one_bit_are_numbers(tmp_path):
    root = write_label_maps(tmp_path)
    image = Image.open(root / 'ann/0.png').convert('P')
    image.putdata([i % 2 for i in range(48 * 32)])
    image.putpalette([9, 9, 9, 200, 0, 0])
    image.save(root / 'ann/0.png')
    image.convert('L').point(lambda v: v and 255).convert('1').save(
        root / 'ann/1.png'
    )
    assert not errors(segmentation(root))


@needs_mmseg
def test_opencv_makes_colours_of_a_palette(tmp_path):
    root = write_label_maps(tmp_path)
    image = Image.open(root / 'ann/0.png').convert('P')
    image.putpalette([9, 9, 9, 200, 0, 0])
    image.save(root / 'ann/0.png')
    cfg = segmentation(root)
    assert not errors(cfg, ('train',))
    cfg.train_dataloader.dataset.pipeline[1].imdecode_backend = 'cv2'
    assert 'has colours (mode of OpenCV)' in errors(cfg, ('train',))[0]


@needs_mmseg
def test_hidden_folders_of_pictures_are_left_out(tmp_path):
    root = write_label_maps(tmp_path)
    picture(root / 'img/.ipynb_checkpoints/0-checkpoint.jpg')
    assert not errors(segmentation(root), ('train',))
    assert not warnings(segmentation(root), ('train',))


@needs_mmseg
def test_pictures_and_maps_that_are_left_out_are_counted(tmp_path):
    root = write_label_maps(tmp_path, pictures=5)
    (root / 'img/1.jpg').rename(root / 'img/1.JPG')
    (root / 'img/2.jpg').rename(root / 'img/2.png')
    lines = warnings(segmentation(root), ('train',))
    assert "2 pictures in '" in lines[0] and '*.jpg' in lines[0]
    assert '2 label maps have no picture' in lines[1]


@needs_mmseg
def test_maps_of_another_ending(tmp_path):
    root = write_label_maps(tmp_path)
    (root / 'ann/1.png').rename(root / 'ann/1.PNG')
    line = errors(segmentation(root), ('train',))[0]
    assert '1 of 3 pictures have no label map' in line and '1.PNG' in line


@needs_mmseg
def test_pictures_to_predict_on(tmp_path):
    root = write_label_maps(tmp_path)
    shutil.rmtree(root / 'ann')
    cfg = segmentation(root)
    own = cfg.test_dataloader.dataset
    own.data_prefix = dict(_delete_=True, img_path='img')
    own.data_prefix.pop('_delete_')
    cfg.test_evaluator.update(format_only=True, output_dir='out')
    assert not errors(cfg, ('test',))


class Sample(dict):
    """As much of a data sample as the hook looks at."""

    def __init__(self, labels, first=1):
        super().__init__(
            gt_sem_seg=None, seg_map_path='a/b.png', reduce_zero_label=first
        )
        self.gt_sem_seg = SimpleNamespace(data=torch.tensor(labels))


def meet(samples, **head):
    model = nn.Module()
    model.decode_head = SimpleNamespace(
        **{**dict(num_classes=4, ignore_index=255), **head}
    )
    runner = SimpleNamespace(model=model)
    LabelCheckHook().before_train_iter(runner, 0, dict(data_samples=samples))


@pytest.mark.parametrize('tta', [False, True])
def test_a_label_of_no_class_is_named(tta):
    meet([Sample([[0, 3, 255]])])
    samples = [Sample([[0, 3, 255]]), Sample([[7, 4, 7, 0]])]
    wanted = r"'a/b\.png': label 5, 8 in the file; .* 4 classes, 1 to 4"
    with pytest.raises(LocalUserError, match=wanted):
        meet([samples, []] if tta else samples)


def test_labels_that_begin_at_0():
    with pytest.raises(LocalUserError, match=r'label 4 in .* 0 to 3'):
        meet([Sample([[4]], first=0)])


def test_another_label_may_be_ignored():
    meet([Sample([[0, 9]])], ignore_index=9)


def test_other_models_have_no_label_maps():
    runner = SimpleNamespace(model=nn.Module())
    LabelCheckHook().before_test_iter(runner, 0, dict(data_samples=[1]))
