"""The segmentation recipes against the values of the official configs."""

import math
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS, init_default_scope

from mmuniformer.analysis.complexity import build_on_meta, flops_by_part

from .common import learning_rates, load, parameter_groups, plain, table

TASKS = ('seg',)
TABLE = table('seg')
VARIANTS = [
    (name, attention, gflops)
    for name, row in TABLE.items()
    for attention, gflops in row.get('windows_of_32', {}).items()
]


def test_outputs(backbone):
    assert backbone.dense and backbone.out_indices == (0, 1, 2, 3)


def test_input(cfg, row):
    preprocessor = cfg.model.data_preprocessor
    assert list(preprocessor.size) == row['crop']
    assert (preprocessor.pad_val, preprocessor.seg_pad_val) == (0, 255)


def test_decode_head(cfg, row, backbone):
    head, widths = cfg.model.decode_head, list(backbone.arch.embed_dims)
    if row['neck']:
        neck = cfg.model.neck
        assert (neck.type, neck.in_channels) == ('FPN', widths)
        assert (neck.out_channels, neck.num_outs) == (row['neck'], 4)
        assert head.feature_strides == [4, 8, 16, 32]
        widths = [row['neck']] * 4
    else:
        assert list(head.pool_scales) == [1, 2, 3, 6]
    assert (head.type, head.channels) == (row['head'], row['channels'])
    assert (head.in_channels, head.in_index) == (widths, [0, 1, 2, 3])
    assert cfg.model.test_cfg == dict(mode='whole')


def test_auxiliary_head(cfg, row, backbone):
    head = cfg.model.get('auxiliary_head')
    if row['head'] == 'FPNHead':
        assert head is None
        return
    assert (head.type, head.channels, head.num_convs) == ('FCNHead', 256, 1)
    assert not head.concat_input
    assert head.in_index == 2
    assert head.in_channels == backbone.arch.embed_dims[2]


def test_what_all_heads_share(cfg, row):
    heads = {'decode_head': 1.0, 'auxiliary_head': 0.4}
    for name, weight in heads.items():
        head = cfg.model.get(name)
        if head is None:
            continue
        assert head.num_classes == row['classes']
        assert head.dropout_ratio == row['dropout']
        assert head.norm_cfg.type == row['norm']
        assert head.align_corners is False
        assert head.loss_decode == dict(
            type='CrossEntropyLoss', use_sigmoid=False, loss_weight=weight
        )


@cache
def stepped(name):
    """Learning rates of all iterations; configs share a few schedules."""
    cfg = load('seg', name)
    return np.array(
        learning_rates(cfg.param_scheduler, cfg.train_cfg.max_iters)
    )


def official(row):
    """What mmcv 1 sets in each iteration, in multiples of the base rate."""
    last, (warmup, first) = row['iterations'], row['warmup']
    i = np.arange(last)
    progress = i / last
    if row['policy'] == 'poly':
        falling = 1 - progress
    else:
        falling = (1 + np.cos(math.pi * progress)) / 2
    regular = row['min_lr'] + (1 - row['min_lr']) * falling
    factor = 1 - (1 - i / warmup) * (1 - first)
    return np.where(i < warmup, regular * factor, regular)


@pytest.mark.parametrize('method', ['fpn', 'upernet'])
def test_learning_rate_at_every_iteration(method):
    name = f'{method}_uniformer_s'
    np.testing.assert_allclose(stepped(name), official(TABLE[name]), rtol=1e-6)


def test_schedule(cfg, row):
    assert cfg.train_cfg == dict(
        type='IterBasedTrainLoop',
        max_iters=row['iterations'],
        val_interval=row['interval'],
    )
    saved = cfg.default_hooks.checkpoint
    assert (saved.interval, saved.by_epoch) == (row['interval'], False)
    method = row['name'].split('_')[0]
    assert (
        cfg.param_scheduler
        == load('seg', f'{method}_uniformer_s').param_scheduler
    )


def test_images_per_step(cfg, row):
    loader = cfg.train_dataloader
    assert loader.batch_size * 8 == row['images_per_step']
    assert loader.sampler == dict(type='InfiniteSampler', shuffle=True)
    assert cfg.auto_scale_lr.base_batch_size == row['images_per_step']


def test_training_pipeline(cfg, row):
    assert plain(cfg.train_dataloader.dataset.pipeline) == [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(
            type='RandomResize',
            scale=row['scale'],
            ratio_range=row['ratio_range'],
            keep_ratio=True,
        ),
        dict(
            type='mmuniformer.RandomCrop',
            crop_size=row['crop'],
            cat_max_ratio=row['cat_max_ratio'],
        ),
        dict(type='RandomFlip', prob=row['flip']),
        dict(type='mmuniformer.PhotoMetricDistortion'),
        dict(type='PackSegInputs'),
    ]


def test_test_pipeline(cfg, row):
    resize = [dict(type='Resize', scale=row['scale'], keep_ratio=True)]
    if row['aligned']:
        align = dict(type='ResizeToMultiple', size_divisor=row['aligned'])
        resize.append(align)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.batch_size == 1
        assert plain(loader.dataset.pipeline) == [
            dict(type='LoadImageFromFile'),
            *resize,
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ]
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert evaluator == dict(type='IoUMetric', iou_metrics=['mIoU'])


def test_multi_scale_test(cfg, row):
    if 'test_ratios' not in row:
        assert 'tta_pipeline' not in cfg
        return
    load_image, augment = plain(cfg.tta_pipeline)
    width, height = row['scale']
    scales = [[int(width * r), int(height * r)] for r in row['test_ratios']]
    assert load_image == dict(type='LoadImageFromFile')
    assert augment['transforms'] == [
        [dict(type='Resize', scale=s, keep_ratio=True) for s in scales],
        [dict(type='RandomFlip', prob=p) for p in (0.0, 1.0)],
        [dict(type='LoadAnnotations')],
        [dict(type='PackSegInputs')],
    ]


needs_mmseg = pytest.mark.skipif(
    find_spec('mmseg') is None, reason='needs mmseg'
)


@needs_mmseg
@pytest.mark.parametrize(
    'height, width', [(512, 683), (683, 512), (300, 1500), (64, 64), (97, 61)]
)
def test_second_resize_goes_up_to_multiples_of_32(height, width):
    """As the official AlignResize does, bit by bit."""
    import mmcv

    image = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    image = image.astype(np.uint8)
    wanted = mmcv.imrescale(image, (2048, 512))
    up = [-(-side // 32) * 32 for side in wanted.shape[:2]]
    wanted = mmcv.imresize(wanted, (up[1], up[0]))
    init_default_scope('mmseg')
    results = dict(img=image, img_shape=image.shape[:2])
    pipeline = load('seg', 'fpn_uniformer_s').test_dataloader.dataset.pipeline
    for transform in pipeline[1:3]:
        results = TRANSFORMS.build(transform)(results)
    assert np.array_equal(results['img'], wanted)
    assert results['img_shape'] == tuple(up)


def test_optimizer_groups(cfg, row, model):
    """What is not decayed: nothing, or where the name contains 'norm'."""
    groups = parameter_groups(cfg.optim_wrapper, model)
    assert len(groups) == len(list(model.parameters()))
    for name, group in groups.items():
        spared = row['no_decay'] and row['no_decay'] in name
        assert group == (row['lr'], 0.0 if spared else row['weight_decay'])
    assert any('.bn.' in name for name in groups)


def test_published_flops(model, row):
    if not row['gflops']:
        pytest.skip('none published')
    total = sum(flops_by_part(model, (512, 2048)).values())
    assert total / 1e9 == pytest.approx(row['gflops'], rel=0.01)


@needs_mmseg
@pytest.mark.parametrize('name, attention, gflops', VARIANTS)
def test_published_flops_in_windows_of_32(name, attention, gflops):
    """What the docstrings' --cfg-options set, for the same weights."""
    cfg = load('seg', name)
    cfg.merge_from_dict(
        {
            'model.backbone.attention': attention,
            'model.backbone.window_size': 32,
        }
    )
    init_default_scope(cfg.default_scope)
    total = sum(flops_by_part(build_on_meta(cfg.model), (512, 2048)).values())
    assert total / 1e9 == pytest.approx(gflops, rel=0.01)
