"""The pose recipes against the values of the official configs."""

import pytest
from torch import nn

from mmuniformer.analysis.complexity import flops_by_part

from .common import parameter_groups

TASKS = ('pose',)


def test_only_the_norm_of_the_last_stage_is_built(cfg, backbone):
    """Otherwise distributed training waits for gradients of the others."""
    norms = [name for name, _ in backbone.named_children() if 'norm' in name]
    assert norms == ['norm4']
    assert not cfg.get('find_unused_parameters', False)


def test_head(cfg, row, backbone):
    head = cfg.model.head
    assert head.in_channels == backbone.arch.embed_dims[-1]
    assert head.out_channels == row['joints']
    assert row['deconvs'] == [
        [*pair]
        for pair in zip(head.deconv_out_channels, head.deconv_kernel_sizes)
    ]
    assert head.loss == dict(type='KeypointMSELoss', use_target_weight=True)


def codec(row):
    return dict(
        type='MSRAHeatmap',
        input_size=tuple(row['input']),
        heatmap_size=tuple(row['heatmap']),
        sigma=row['sigma'],
    )


def test_decoder_is_that_of_the_targets(cfg, row):
    train = cfg.train_dataloader.dataset.pipeline
    assert cfg.model.head.decoder == train[-2].encoder == codec(row)


def test_training_pipeline(cfg, row):
    """Kinds, order and values of the augmentations."""
    factor, prob = row['center_jitter']
    least, half_prob, padding = row['half_body']
    rotation, rotate_prob = row['rotation']
    assert cfg.train_dataloader.dataset.pipeline == [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale', padding=row['padding']),
        dict(type='mmuniformer.RandomCenterShift', factor=factor, prob=prob),
        dict(type='RandomFlip', prob=row['flip'], direction='horizontal'),
        dict(
            type='RandomHalfBody',
            min_total_keypoints=least,
            padding=padding,
            prob=half_prob,
            upper_prioritized_prob=0.6915,
        ),
        dict(
            type='mmuniformer.RandomScaleRotation',
            scale_factor=row['scale'],
            rotate_factor=rotation,
            rotate_prob=rotate_prob,
        ),
        dict(
            type='mmuniformer.TopdownAffine',
            input_size=tuple(row['input']),
        ),
        dict(type='GenerateTarget', encoder=codec(row)),
        dict(type='PackPoseInputs'),
    ]


@pytest.mark.parametrize('split', ['val', 'test'])
def test_test_pipeline(cfg, row, split):
    loader = cfg[f'{split}_dataloader']
    assert loader.batch_size == row['val_batch']
    assert loader.dataset.pipeline == [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale', padding=row['padding']),
        dict(type='TopdownAffine', input_size=tuple(row['input'])),
        dict(type='PackPoseInputs'),
    ]


def test_boxes_are_all_of_the_detector(cfg, row):
    dataset = cfg.test_dataloader.dataset
    assert dataset.bbox_file.split('/')[-1] == row['boxes']
    assert dataset.test_mode and 'filter_cfg' not in dataset


def test_testing(cfg, row):
    test_cfg = cfg.model.test_cfg
    assert (test_cfg.flip_test, test_cfg.flip_mode) == (
        row['flip_test'],
        'heatmap',
    )
    assert test_cfg.shift_heatmap == row['shift_heatmap']


def test_evaluation(cfg, row):
    metric = cfg.test_evaluator
    assert (metric.nms_mode, metric.nms_thr) == ('oks_nms', row['oks_thr'])
    assert metric.score_mode == 'bbox_keypoint'
    assert metric.keypoint_score_thr == row['vis_thr']
    assert cfg.train_cfg.val_interval == row['val_interval']
    checkpoint = cfg.default_hooks.checkpoint
    assert checkpoint.save_best == row['key_indicator']
    assert checkpoint.interval == row['checkpoint_interval']


def test_everything_is_decayed(cfg, row, backbone):
    model = nn.ModuleDict(dict(backbone=backbone, head=nn.BatchNorm2d(2)))
    groups = parameter_groups(cfg.optim_wrapper, model)
    assert set(groups.values()) == {(row['lr'], row['weight_decay'])}


def test_people_per_step(cfg, row):
    assert cfg.train_dataloader.batch_size == row['batch']
    assert cfg.auto_scale_lr.base_batch_size == 8 * row['batch']


def test_published_flops(model, row):
    total = sum(flops_by_part(model, row['input'][::-1]).values())
    assert total / 1e9 == pytest.approx(row['gflops'], rel=0.01)
