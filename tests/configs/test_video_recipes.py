"""The video recipes against the values of the official configs."""

from math import cos, pi

import pytest

from mmuniformer.analysis.complexity import (
    count_parameters,
    flops_by_part,
    published_shape,
)
from mmuniformer.checks.weights import check_pretrained
from mmuniformer.errors import UserError
from mmuniformer.models.arch import ARCHS, LIGHT_ARCHS
from mmuniformer.weights import published

from .. import ROOT
from .common import learning_rates, load, parameter_groups, table
from .test_configs import is_own

TASKS = ('video',)
MEAN, STD = (114.75,) * 3, (57.375,) * 3
PACK = [
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def is_light(row):
    return row['arch'] in LIGHT_ARCHS


def test_the_table_has_every_recipe():
    leaves = (ROOT / 'configs/video').glob('*.py')
    assert set(table('video')) == {p.stem for p in leaves if not is_own(p)}
    assert len(table('video')) == 39


def test_network(row, cfg, backbone):
    size = {**ARCHS, **LIGHT_ARCHS}[row['arch']]
    assert (backbone.arch, backbone.ndim) == (size, 3)
    assert not any(backbone.checkpointed)
    scale = dict(backbone.named_parameters()).get('blocks1.0.gamma_1')
    assert (scale is not None) == ('scale' in row)
    assert cfg.model.backbone.get('layer_scale_init_value') == row.get('scale')


def test_drop_path(row, backbone):
    rate = backbone.blocks4[-1].drop_path.rate
    assert rate == pytest.approx(row['drop_path_rate'])


def test_head(cfg, row):
    head = dict(cfg.model.cls_head)
    assert head == dict(
        type='mmuniformer.LightVideoHead' if is_light(row) else 'I3DHead',
        num_classes=row['classes'],
        in_channels={**ARCHS, **LIGHT_ARCHS}[row['arch']].embed_dims[-1],
        dropout_ratio=0.0,
        init_std=0.02,
        label_smooth_eps=0.1,
        average_clips='score',
    )


def test_input_and_mixing(cfg, row):
    preprocessor = cfg.model.data_preprocessor
    assert preprocessor == dict(
        type='ActionDataPreprocessor',
        mean=list(MEAN),
        std=list(STD),
        format_shape='NCTHW',
        blending=dict(
            type='mmuniformer.ClipMix',
            num_classes=row['classes'],
            mixup=0.8,
            cutmix=1.0,
        ),
    )


def test_starting_weights(cfg, row):
    init = cfg.model.backbone.init_cfg
    assert init.type == 'Pretrained' and 'inflate' not in init
    assert init.checkpoint.endswith(f'/{row["start"]}.pth')
    assert init.get('allow_partial') == (
        'gamma_[12]' if 'scale' in row else None
    )
    release = published.find(init.checkpoint)
    assert release.arch == row['arch']
    assert release.ndim == (2 if 'in1k' in row['start'] else 3)


def rate(row, epoch):
    """Learning rate at a fractional epoch, by SlowFast's formula."""
    low, top, start = row['low'], row['lr'], row['warmup_epochs']
    if epoch < start:
        return low + epoch * (top - low) / start
    share = (epoch - start) / (row['epochs'] - start)
    return low + (top - low) * (1 + cos(pi * share)) / 2


def test_learning_rate_of_every_iteration(cfg, row):
    assert [s.type for s in cfg.param_scheduler] == [
        'mmuniformer.WarmupCosineLR'
    ]
    length, top = 7, cfg.optim_wrapper.optimizer.lr
    schedulers = [dict(s, end=row['epochs']) for s in cfg.param_scheduler]
    rates = learning_rates(schedulers, row['epochs'] * length, length, top)
    wanted = [rate(row, i / length) for i in range(row['epochs'] * length)]
    assert rates == pytest.approx(wanted, rel=1e-12)


def test_schedule(cfg, row):
    assert cfg.train_cfg == dict(
        type='EpochBasedTrainLoop',
        max_epochs=row['epochs'],
        val_interval=row['val_interval'],
    )
    assert cfg.default_hooks.checkpoint.interval == 1


def test_optimizer(cfg, row):
    wrapper = cfg.optim_wrapper
    assert wrapper.type == 'AmpOptimWrapper'
    assert wrapper.optimizer == dict(
        type='AdamW',
        lr=row['lr'],
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=row['weight_decay'],
    )
    assert wrapper.clip_grad == dict(max_norm=20)


def test_full_precision_in_evaluation(cfg):
    for loop in (cfg.val_cfg, cfg.test_cfg):
        assert not loop.get('fp16')


def test_videos_per_step(cfg, row):
    loader = cfg.train_dataloader
    assert loader.batch_size * row['gpus'] == row['batch']
    assert cfg.auto_scale_lr.base_batch_size == row['batch']
    assert loader.drop_last
    assert loader.sampler == dict(type='DefaultSampler', shuffle=True)
    assert loader.collate_fn == dict(type='repeat_pseudo_collate')
    assert cfg.randomness == dict(seed=row['seed'], diff_rank_seed=True)


def sampling(row, **kwargs):
    if row['stride'] is None:
        kwargs.pop('num_clips', None)
        return dict(type='UniformSample', clip_len=row['frames'], **kwargs)
    return dict(
        type='mmuniformer.DenseSample',
        clip_len=row['frames'],
        frame_interval=row['stride'],
        **kwargs,
    )


def reading(row, **kwargs):
    """Steps that read frames: videos in RGB, frames in BGR."""
    sample = sampling(row, **kwargs)
    if row['reader'] == 'video':
        start = dict(type='mmuniformer.DecordInit')
        return [start, sample, dict(type='DecordDecode')]
    return [
        sample,
        dict(type='RawFrameDecode'),
        dict(type='mmuniformer.ReverseChannels'),
    ]


def test_training_pipeline(cfg, row):
    flip = [dict(type='Flip', flip_ratio=0.5)] if row['flip'] else []
    transforms = [
        dict(type='mmuniformer.ClipAutoAugment', policy=row['policy']),
        dict(
            type='mmuniformer.ClipResizedCrop',
            size=row['crop'],
            scale=(0.08, 1.0),
            ratio=(3 / 4, 4 / 3),
        ),
        *flip,
        dict(type='mmuniformer.ClipErasing', prob=0.25, mean=MEAN, std=STD),
        *PACK,
    ]
    assert cfg.train_dataloader.dataset.pipeline == [
        *reading(row),
        dict(
            type='mmuniformer.RepeatedAugment',
            num_repeats=2,
            transforms=transforms,
        ),
    ]


@pytest.mark.parametrize('split', ['val', 'test'])
def test_views(cfg, row, split):
    """The published ones in the test; one in the centre while training."""
    is_test = split == 'test'
    clips, crops = (row['clips'], row['crops']) if is_test else (1, 1)
    crop = dict(type='mmuniformer.ClipCrop', size=row['crop'])
    if crops != 1:
        crop['num_crops'] = crops
    loader = cfg[f'{split}_dataloader']
    assert loader.dataset.test_mode
    assert loader.dataset.pipeline == [
        *reading(row, num_clips=clips, test_mode=True),
        dict(type='mmuniformer.ClipResize', size=row['crop']),
        crop,
        *PACK,
    ]
    assert cfg[f'{split}_evaluator'] == dict(type='AccMetric')


def test_data(cfg, row):
    frames = row['reader'] == 'frames'
    kind = 'FrameDataset' if frames else 'ClipDataset'
    for loader in LOADERS:
        dataset = cfg[loader].dataset
        assert dataset.type == f'mmuniformer.{kind}'
        assert dataset.data_root == f'data/{row["data"]}'
        assert dataset.get('filename_tmpl') == row.get('template')
        spaced = row['data'] == 'ucf101'
        assert dataset.get('delimiter') == (' ' if spaced else None)
        k600 = row['data'] == 'kinetics600'
        assert dataset.get('labels') == ('k600' if k600 else None)
        train = loader == 'train_dataloader'
        assert dataset.ann_file.startswith('train.' if train else 'val.')


def test_optimizer_groups(cfg, row, model):
    """No decay for what has one dimension, all BatchNorms among it."""
    groups = parameter_groups(cfg.optim_wrapper, model)
    assert groups == {
        name: (row['lr'], 0.0 if p.ndim == 1 else row['weight_decay'])
        for name, p in model.named_parameters()
    }
    names = {'backbone.cls_token', 'backbone.blocks1.0.gamma_1'} & set(groups)
    assert all(groups[name][1] == row['weight_decay'] for name in names)
    assert len(names) == is_light(row) + ('scale' in row)


def test_parameters(model, row):
    assert count_parameters(model) == row['parameters']


COUNTS = {}


@pytest.fixture(scope='module')
def gflops(cfg, row, model):
    """Those of a clip; recipes share a few networks."""
    shape = published_shape(cfg)
    assert shape == (row['frames'], row['crop'], row['crop'])
    key = row['arch'], row['classes'], 'scale' in row, shape
    if key not in COUNTS:
        COUNTS[key] = sum(flops_by_part(model, shape).values()) / 1e9
    return COUNTS[key]


def test_flops_of_a_clip(gflops, row):
    """Those of the official code by fvcore."""
    assert gflops == pytest.approx(row['gflops'], rel=0.01)


# Published with two digits.
ROUNDED = {
    'uniformer_xxs_4_160_k400': 1.6,
    'uniformer_xxs_8_128_k400': 2.0,
}
# What fvcore counts in the authors' code is 1.8 and 0.9 % below what they
# published; ours leaves out norms and such, another 0.5 %.
COUNTED = {
    'uniformer_xxs_8_160_k400': 3.24,
    'uniformer_xs_32_192_k400': 33.91,
}


def test_flops_of_all_views(gflops, row):
    total = gflops * row['clips'] * row['crops']
    if row['name'] in ROUNDED:
        assert round(total, 1) == row['published'][1] == ROUNDED[row['name']]
        return
    wanted = COUNTED.get(row['name'], row['published'][1])
    assert total == pytest.approx(wanted, rel=0.01)


def test_published_numbers(row):
    """In the docstring and in the docs."""
    top1, flops = row['published']
    config = f'configs/video/{row["name"]}.py'
    doc = (ROOT / config).read_text().split('"""')[1]
    text = ' '.join(doc.split())
    assert f'Published: {top1} top-1 with ' in text
    assert f' {flops}G FLOPs in all (' in text
    lines = (ROOT / 'docs/models.md').read_text().splitlines()
    line = next(x for x in lines if f'`{config}`' in x)
    assert f' {top1} |' in line and f' {flops}G' in line


def test_complexity_tool_wants_frames_too(run_tool):
    config = 'configs/video/uniformer_xxs_4_128_k400.py'
    done = run_tool('analysis/complexity.py', config, '--shape', 128, 128)
    assert done.returncode == 2 and 'wanted T H W' in done.stderr


def test_where_to_get_starting_weights(monkeypatch, tmp_path):
    """Of recipes whose files no public hub has."""
    monkeypatch.chdir(tmp_path)
    cfg = load('video', 'uniformer_b_32_ssv2_prek600')
    drive = published.table()['uniformer_b16x4_k600'].drive
    with pytest.raises(UserError, match=f'no such file; .*{drive}'):
        check_pretrained(cfg)
