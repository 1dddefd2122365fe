"""Evaluators, loops, schedules and options, against data and model."""

import json

import pytest
from mmengine.config import Config

from mmuniformer.checks import config_keys, loops, schedules, widths
from mmuniformer.checks.findings import Findings
from mmuniformer.engine.ending import config_fault
from mmuniformer.errors import UserError

from .. import ROOT
from .common import (
    classification,
    detection,
    errors,
    pose,
    segmentation,
    warnings,
    whole,
    write_coco,
    write_folders,
    write_label_maps,
)

RECIPES = sorted((ROOT / 'configs').glob('[a-z]*/*.py'))
needs_hosts = pytest.mark.usefixtures('hosts')


@pytest.fixture
def hosts():
    for name in ('mmdet', 'mmseg', 'mmpose', 'mmpretrain'):
        pytest.importorskip(name)


@needs_hosts
@pytest.mark.parametrize('change', ['ids', 'names', 'fewer', 'path', 'class'])
def test_the_evaluator_measures_by_another_file(tmp_path, change):
    write_coco(tmp_path)
    content = whole()
    wanted = 'other.json'
    if change == 'ids':
        for image in content['images']:
            image['id'] += 100
    elif change == 'names':
        for image in content['images']:
            image['file_name'] = f'x{image["file_name"]}'
    elif change == 'fewer':
        del content['images'][-1]
        wanted = 'lacks 1 of the 4 pictures'
    elif change == 'class':
        content['categories'].pop()
        wanted = "class 'dog'"
    (tmp_path / 'other.json').write_text(json.dumps(content))
    cfg = detection(tmp_path)
    cfg.val_evaluator.ann_file = str(tmp_path / 'other.json')
    if change == 'path':
        cfg.val_evaluator.ann_file = 'val.json'
        wanted = f"did you mean '{tmp_path}/val.json'?"
    assert wanted in errors(cfg)[0]


@needs_hosts
@pytest.mark.parametrize('topk, wrong', [(1, 0), ((1, 3), 0), ((1, 5), 1)])
def test_topk_of_few_classes(tmp_path, topk, wrong):
    cfg = classification(write_folders(tmp_path))
    cfg.val_evaluator.topk = topk
    assert len(errors(cfg)) == wrong


def best(cfg, key):
    """What is taken for a key of save_best, and what is said."""
    cfg.default_hooks.checkpoint.save_best = key
    said = warnings(cfg)
    return cfg.default_hooks.checkpoint.save_best, said


@needs_hosts
def test_save_best_of_what_is_not_measured(tmp_path):
    cfg = pose(write_coco(tmp_path, joints=5))
    assert best(cfg, 'coco/AP') == ('coco/AP', [])
    cfg.val_evaluator = dict(type='PCKAccuracy', thr=0.2)
    key, said = best(cfg, 'coco/AP')
    assert key == 'PCK' and "save_best='coco/AP'" in said[0]
    assert cfg.default_hooks.checkpoint.rule == 'greater'
    for good in ('PCK', 'auto', ['PCK']):
        assert best(cfg, good) == (good, [])
    assert best(cfg, ['PCK', 'coco/AP'])[0] == 'PCK'
    cfg.val_evaluator = dict(type='EPE')
    assert best(cfg, 'PCK')[0] == 'EPE'
    assert cfg.default_hooks.checkpoint.rule == 'less'
    cfg.val_evaluator = dict(type='NobodyKnows')
    assert best(cfg, 'x') == ('x', [])
    assert not errors(cfg)


@needs_hosts
@pytest.mark.parametrize(
    'key', ['coco/bbox_mAP', 'coco/segm_mAP_50', 'auto', 'coco/bbox_AP']
)
def test_save_best_of_detection(tmp_path, key):
    cfg = detection(write_coco(tmp_path))
    new = 'coco/bbox_mAP' if key == 'coco/bbox_AP' else key
    assert best(cfg, key)[0] == new


@needs_hosts
def test_a_schedule_that_waits_for_what_is_not_measured(tmp_path):
    cfg = detection(write_coco(tmp_path))
    cfg.param_scheduler = [
        dict(type='ReduceOnPlateauLR', monitor='coco/mAP', rule='greater')
    ]
    assert "monitor='coco/mAP'" in errors(cfg)[0]


@needs_hosts
def test_a_hook_that_waits_for_what_is_not_measured(tmp_path):
    cfg = detection(write_coco(tmp_path))
    cfg.custom_hooks = [dict(type='EarlyStoppingHook', monitor='mIoU')]
    assert "custom_hooks.0.monitor='mIoU'" in errors(cfg)[0]


@needs_hosts
@pytest.mark.parametrize(
    'key, value',
    [('num_workers', -1), ('batch_size', 0), ('batch_size', '8')],
)
def test_numbers_of_a_loader(tmp_path, key, value):
    cfg = detection(write_coco(tmp_path))
    cfg.train_dataloader[key] = value
    assert f'train_dataloader.{key}={value!r}' in errors(cfg)[0]


@needs_hosts
def test_workers_that_the_machine_chooses(tmp_path):
    cfg = detection(write_coco(tmp_path))
    cfg.train_dataloader.num_workers = 'auto'
    assert not errors(cfg)


@needs_hosts
@pytest.mark.parametrize(
    'loop', [dict(type='EpochBasedTrainLoop'), dict(by_epoch=True)]
)
def test_an_epoch_without_end(tmp_path, loop):
    cfg = segmentation(write_label_maps(tmp_path))
    assert not errors(cfg)
    cfg.train_cfg = dict(**loop, max_epochs=2)
    assert 'never ends' in errors(cfg)[0]
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    assert not errors(cfg)
    cfg.val_dataloader.sampler = dict(type='InfiniteSampler')
    assert 'val_dataloader.sampler' in errors(cfg)[0]


@needs_hosts
def test_fewer_samples_than_a_batch(tmp_path, monkeypatch):
    cfg = classification(write_folders(tmp_path))
    cfg.train_dataloader.update(batch_size=6, drop_last=True)
    assert not errors(cfg)
    monkeypatch.setenv('WORLD_SIZE', '2')
    cfg.launcher = 'pytorch'
    line = errors(cfg)[0]
    assert '3 samples on each of 2' in line and 'batch_size=6' in line
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset', times=2, dataset=inner
    )
    assert not errors(cfg)


def test_processes_that_do_not_know_of_each_other(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '2')
    found = Findings()
    loops.check_launcher(Config(dict(launcher='none')), found)
    assert 'no --launcher' in next(iter(found)).line()
    found = Findings()
    loops.check_launcher(Config(dict(launcher='pytorch')), found)
    assert not len(found)


def schedule(cfg, steps=100):
    found = Findings()
    schedules.check_schedule(cfg, steps, found)
    return [one.line() for one in found]


@pytest.mark.parametrize(
    'path', RECIPES, ids=lambda p: f'{p.parent.name}/{p.stem}'
)
def test_recipes_fit_in_themselves(path):
    cfg = Config.fromfile(path)
    assert not schedule(cfg, 1000)
    found = Findings()
    config_keys.check_keys(cfg, found)
    widths.check_widths(cfg, found)
    assert not len(found)


@pytest.mark.parametrize(
    'recipe, loop, wanted',
    [
        ('det/mask_rcnn_uniformer_s', dict(max_epochs=30), 'milestones'),
        ('det/mask_rcnn_uniformer_s', dict(max_epochs=6), 'milestones'),
        ('video/uniformer_s_16x4_k400', dict(max_epochs=30), '0.epochs'),
        ('cls/uniformer_s', dict(max_epochs=100), '0.epochs'),
        ('seg/fpn_uniformer_s', dict(max_iters=4000), '1.T_max'),
        ('seg/upernet_uniformer_s', dict(max_iters=80000), '1.end'),
    ],
)
def test_a_schedule_that_ends_elsewhere(recipe, loop, wanted):
    cfg = Config.fromfile(ROOT / f'configs/{recipe}.py')
    cfg.train_cfg.update(loop)
    lines = schedule(cfg)
    assert len(lines) == 1 and wanted in lines[0], lines


@pytest.mark.parametrize(
    'scheduler, wrong',
    [
        (dict(type='MultiStepLR', milestones=[8, 11]), 0),
        (dict(type='MultiStepLR', milestones=[8, 12]), 1),
        (dict(type='MultiStepLR', milestones=[2, 4]), 1),
        (dict(type='CosineAnnealingLR', T_max=11, begin=1), 0),
        (dict(type='CosineAnnealingLR', T_max=6), 1),
        (dict(type='LinearLR', end=3), 0),
        (dict(type='LinearLR', end=13), 1),
        (dict(type='LinearLR', end=1201, by_epoch=False), 1),
        (dict(type='PolyLR', end=1200, by_epoch=False), 0),
        (dict(type='PolyLR', end=600, by_epoch=False), 1),
        (dict(type='StepLR', step_size=3), 0),
    ],
)
def test_schedules_of_12_epochs(scheduler, wrong):
    train = dict(by_epoch=True, max_epochs=12)
    cfg = Config(dict(train_cfg=train, param_scheduler=[scheduler]))
    assert len(schedule(cfg)) == wrong


CFG = Config(
    dict(
        model=dict(backbone=dict(type='X')),
        optim_wrapper=dict(optimizer=dict(lr=1)),
        train_cfg=dict(max_epochs=3),
        train_dataloader=dict(batch_size=2),
        max_epochs=3,
    )
)


@pytest.mark.parametrize(
    'option, wanted',
    [
        ('optimizer.lr', 'optim_wrapper.optimizer.lr'),
        ('data.samples_per_gpu', 'train_dataloader.batch_size'),
        ('runner.max_epochs', 'train_cfg.max_epochs'),
        ('total_epochs', 'train_cfg.max_epochs'),
        ('max_epochs', 'train_cfg.max_epochs'),
        ('lr_config.policy', 'param_scheduler'),
        ('evaluation.interval', 'train_cfg.val_interval'),
        ('fp16.loss_scale', 'AmpOptimWrapper'),
        ('model.pretrained', 'init_cfg'),
        ('train_dataloder.batch_size', 'mean train_dataloader.batch_size?'),
        ('batchsize', 'nothing reads it'),
        ('backbone.type', 'mean model.backbone.type?'),
    ],
)
def test_options_that_nothing_reads(option, wanted):
    with pytest.raises(UserError) as error:
        config_keys.check_options(CFG, {option: 1})
    assert wanted in str(error.value) and option in str(error.value)


@pytest.mark.parametrize(
    'option',
    [
        'train_cfg.max_epochs', 'model.backbone.drop_path_rate', 'resume',
        'load_from', 'val_dataloader', 'optim_wrapper.optimizer.lr',
        'param_scheduler.0.end', 'randomness.seed', 'checks',
    ],
)  # fmt: skip
def test_options_that_are_read(option):
    config_keys.check_options(CFG, {option: 1})


@pytest.mark.parametrize(
    'options, wanted',
    [
        (dict(data=dict(samples_per_gpu=2)), 'train_dataloader.batch_size'),
        (dict(optimizer=dict(lr=2)), 'optim_wrapper.optimizer'),
        (dict(optimizer=dict(lr=1)), ''),
        (dict(runner=dict(max_epochs=2)), 'train_cfg.max_epochs'),
        (dict(train_dataloader=dict(samples_per_gpu=2)), '.batch_size'),
        (dict(train_dataloder=dict(batch_size=2)), 'train_dataloader is'),
        (dict(classes=('a',), dataset_type='x', data_root='y'), ''),
    ],
)
def test_keys_of_a_config_that_nothing_reads(options, wanted):
    found = Findings()
    config_keys.check_keys(Config({**CFG.to_dict(), **options}), found)
    lines = [one.line() for one in found]
    assert (len(lines) == 1 and wanted in lines[0]) if wanted else not lines


@needs_hosts
def test_what_the_checks_cannot_do_is_no_failure(tmp_path, monkeypatch):
    from mmuniformer.checks import data

    def fails(*args):
        raise RuntimeError('a fault of ours')

    monkeypatch.setitem(data.CHECKS, 'mmpretrain.CustomDataset', fails)
    cfg = classification(write_folders(tmp_path))
    assert not errors(cfg)
    assert 'could not be checked' in warnings(cfg)[0]


@pytest.mark.parametrize(
    'model, wanted',
    [
        (dict(type='NoSuch'), 'NoSuch is not in the'),
        (dict(type='mmuniformer.UniFormer', drop_path=1), "'drop_path'"),
        (dict(type='mmuniformer.SpeedHook'), 'registry'),
    ],
)
def test_what_cannot_be_built_is_one_line(model, wanted):
    from mmengine.registry import MODELS

    with pytest.raises((KeyError, TypeError)) as error:
        MODELS.build(model)
    assert wanted in config_fault(error.value)
    assert config_fault(TypeError('a bug')) is None
    assert config_fault(KeyError('a bug')) is None
