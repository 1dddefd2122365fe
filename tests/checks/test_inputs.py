"""Channels, sizes, weights and lengths that do not fit are named."""

from functools import partial

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import TestLoop
from torch._utils import ExceptionWrapper
from torch.utils.data import default_collate

from mmuniformer.checks import inputs, loops
from mmuniformer.checks.findings import Findings
from mmuniformer.engine import first_batch
from mmuniformer.engine.ending import config_fault

from .common import (
    classification,
    detection,
    errors,
    picture,
    segmentation,
    warnings,
    write_coco,
    write_folders,
    write_label_maps,
)
from .test_video_lists import config as video
from .test_video_lists import write


@pytest.fixture
def cfg(tmp_path):
    pytest.importorskip('mmpretrain')
    return classification(write_folders(tmp_path))


@pytest.mark.parametrize(
    'channels, mean, color, wanted',
    [
        (3, 3, 'color', ''),
        (3, 1, 'color', ''),
        (1, 1, 'grayscale', ''),
        (4, 4, 'unchanged', ''),
        (3, 3, 'grayscale', ''),  # gray less three means
        (1, 3, 'grayscale', 'mean has 3 values'),
        (4, 3, 'unchanged', 'mean has 3 values'),
        (4, 4, 'color', "set its color_type='unchanged'"),
        (1, 1, 'color', "set its color_type='grayscale'"),
    ],
)
def test_channels(cfg, channels, mean, color, wanted):
    cfg.model.backbone.in_channels = channels
    cfg.model.data_preprocessor.update(mean=[1.0] * mean, std=[1.0] * mean)
    for split in ('train', 'val'):
        step = cfg[f'{split}_dataloader'].dataset.pipeline[0]
        step.color_type = color
    got = errors(cfg)
    assert (wanted in got[0]) if wanted else not got, got


def test_steps_that_nobody_knows_may_give_any_channels(cfg):
    cfg.model.backbone.in_channels = 4
    cfg.model.data_preprocessor.update(mean=[1.0] * 4, std=[1.0] * 4)
    for split in ('train', 'val'):
        steps = cfg[f'{split}_dataloader'].dataset.pipeline
        steps.insert(1, dict(type='MyOwn'))
    assert not errors(cfg)


def test_a_deviation_of_0(cfg):
    cfg.model.data_preprocessor.std = [1, 0, 1]
    assert 'has a 0' in errors(cfg)[0]


def test_preprocessors_of_four_channels():
    pytest.importorskip('mmdet')
    built = MODELS.build(
        dict(type='mmdet.DetDataPreprocessor', mean=[1.0] * 4, std=[2.0] * 4)
    )
    done = built(dict(inputs=[torch.full((4, 2, 2), 5.0)], data_samples=None))
    assert torch.equal(done['inputs'], torch.full((1, 4, 2, 2), 2.0))
    with pytest.raises(AssertionError):
        MODELS.build(
            dict(type='mmdet.DetDataPreprocessor', mean=[1] * 4, std=[2] * 3)
        )


def test_a_batch_of_label_maps_has_a_size(tmp_path):
    pytest.importorskip('mmseg')
    cfg = segmentation(write_label_maps(tmp_path))
    own = cfg.model.data_preprocessor
    own.size_divisor = 32
    assert 'has size and size_divisor' in errors(cfg)[0]
    own.size = None
    assert not errors(cfg)
    own.size_divisor = None
    assert 'has no size' in errors(cfg)[0]
    assert not errors(cfg, ('val',))


def test_pictures_of_many_sizes_in_a_batch(cfg, tmp_path):
    steps = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    cfg.train_dataloader.dataset.pipeline = steps
    steps = cfg.train_dataloader.dataset.pipeline
    assert not errors(cfg)  # all of one size
    picture(tmp_path / 'train/a/9.jpg', 50, 32)
    assert 'of different sizes' in errors(cfg)[0]
    steps.insert(1, dict(type='Resize', scale=(64, 64), keep_ratio=True))
    assert 'of different sizes' in errors(cfg)[0]
    steps[1]['keep_ratio'] = False
    assert not errors(cfg)
    del steps[1]
    cfg.train_dataloader.batch_size = 1
    assert not errors(cfg)


@pytest.mark.parametrize(
    'host, count, wrong',
    [('mmseg', 3, 0), ('mmseg', 4, 1), ('mmdet', 4, 0), ('mmdet', 2, 1)],
)
def test_class_weights(host, count, wrong):
    pytest.importorskip(host)
    kind = dict(mmseg='FPNHead', mmdet='Shared2FCBBoxHead')[host]
    loss = dict(type='CrossEntropyLoss', class_weight=[1.0] * count)
    head = dict(type=f'{host}.{kind}', num_classes=3, loss_decode=[loss])
    if host == 'mmdet':
        head['loss_cls'] = head.pop('loss_decode')[0]
    found = Findings()
    model = dict(decode_head=head)
    inputs.check_weights(Config(dict(model=model)), found)
    assert len(found) == wrong


def test_optimizers(cfg):
    cfg.optim_wrapper.optimizer.type = 'AdamWW'
    assert "type='AdamWW' is not known; did you mean AdamW?" in errors(cfg)[0]
    cfg.optim_wrapper.optimizer.update(type='AdamW', lr=0)
    assert not errors(cfg)
    assert 'nothing will be learned' in warnings(cfg)[0]


@pytest.mark.parametrize(
    'loop, wrong',
    [
        (dict(max_epochs=3), 0),
        (dict(max_epochs=3.0), 0),
        (dict(max_epochs=0), 1),
        (dict(max_epochs=-1), 1),
        (dict(max_epochs='3'), 1),
        (dict(max_epochs=2.5), 1),
        (dict(max_epochs=float('inf')), 1),
        (dict(max_epochs=None), 1),
        (dict(max_epochs=3, val_interval=0), 1),
        (dict(type='MyOwnLoop', max_epochs='x'), 0),
    ],
)
def test_lengths_of_training(loop, wrong):
    found = Findings()
    loops.check_loop(Config(dict(train_cfg=loop)), found)
    assert len(found) == wrong


def test_a_metric_of_another_task(cfg):
    pytest.importorskip('mmseg')
    cfg.val_evaluator = dict(type='mmseg.IoUMetric')
    assert 'IoUMetric is a metric of mmseg' in errors(cfg)[0]


def test_detectors_are_measured_by_mmaction(tmp_path):
    pytest.importorskip('mmaction')
    cfg = detection(write_coco(tmp_path))
    cfg.val_evaluator = dict(type='mmaction.AVAMetric', ann_file='x')
    assert not errors(cfg)


def test_blanks_in_paths_of_mmaction(tmp_path):
    pytest.importorskip('mmaction')
    write(tmp_path / 'train.csv', 'a.mp4 1', 'b c.mp4 1')
    for name in ('a.mp4', 'b c.mp4'):
        write(tmp_path / 'train' / name, '')
    cfg = video(tmp_path, 3, type='VideoDataset')
    assert 'line 2: 3 columns' in errors(cfg, ('train',))[0]
    cfg.train_dataloader.dataset.update(
        type='mmuniformer.ClipDataset', delimiter=' '
    )
    assert not errors(cfg, ('train',))


def raised(function):
    try:
        function()
    except Exception as error:
        return error


class Loop(TestLoop):
    """A loop over whatever a test gives it."""

    def __init__(self, work):
        self.work = work

    def run(self, idx=0):
        self.work()


def first_fault(work, idx=0):
    return first_batch.fault(raised(lambda: Loop(work).run(idx)))


def test_a_first_batch_that_does_not_fit():
    def work():
        torch.nn.Conv2d(4, 2, 1)(torch.ones(1, 3, 8, 8))

    text = first_fault(work)
    assert text is None  # the frame of this test is a bug of the test


def test_the_first_batch_of_a_library():
    work = partial(torch.nn.Conv2d(4, 2, 1), torch.ones(1, 3, 8, 8))
    text = first_fault(work)
    assert text.startswith('the first batch of test data: Conv2d: Runtime')
    assert 'model.backbone.in_channels' in text
    assert first_fault(work, 1) is None  # a later one


def worker_fault(start):
    """What is said of an error in a worker, from a frame on."""
    work = partial(default_collate, [torch.ones(1), torch.ones(2)])
    error = raised(work)
    trace = error.__traceback__
    for _ in range(start):
        trace = trace.tb_next
    place = 'in DataLoader worker process 0'
    sent = ExceptionWrapper((type(error), error, trace), place)
    return first_fault(sent.reraise)


def test_the_first_batch_of_a_worker():
    said = worker_fault(1)
    words = 'the first batch of test data: RuntimeError: stack expects'
    assert said.startswith(words) and 'wanted a Resize' in said
    assert worker_fault(0) is None  # with a frame of this test


def test_an_error_of_python_in_a_library_that_is_built(tmp_path):
    pytest.importorskip('mmpretrain')
    wrong = dict(
        type='mmpretrain.MultiTaskDataset', ann_file='a.json',
        data_root=str(tmp_path), data_prefix=dict(img_path='x'),
    )  # fmt: skip
    error = raised(lambda: DATASETS.build(wrong))
    assert 'MultiTaskDataset: TypeError' in config_fault(error)
