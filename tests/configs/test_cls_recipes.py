"""The classification recipes against the values of the official ones."""

from math import cos, pi

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mmuniformer.analysis.complexity import flops_by_part

from .common import build_backbone, load, parameter_groups

TASKS = ('cls',)


def is_tl(row):
    return 'label_size' in row


def test_heads(row, backbone):
    heads = [b[0].attn.num_heads for b in (backbone.blocks3, backbone.blocks4)]
    assert heads == row['heads']


def test_whole_model_to_start_from(cfg, row):
    if 'start' not in row:
        assert not cfg.load_from
        return
    name = f'uniformer_{row["start"]}_tl'
    epochs = load('cls', name).train_cfg.max_epochs
    assert cfg.load_from == f'work_dirs/{name}/epoch_{epochs}.pth'


def rate(row, epoch):
    """Learning rate by the formula of the authors' trainers."""
    low, top, epochs = 1e-6, row['lr'], row['epochs']
    if row['warmup_epochs'] is None:
        return top
    # That of the recipes without token labeling is an epoch late.
    t = epoch if is_tl(row) else max(epoch - 1, 0)
    if t < row['warmup_epochs']:
        return low + t * (top - low) / row['warmup_epochs']
    if t >= epochs:
        return 1e-5
    return 1e-5 + (top - 1e-5) * (1 + cos(pi * t / epochs)) / 2


def test_learning_rate_of_every_epoch(cfg, row):
    wrapper = cfg.optim_wrapper
    optimizer = torch.optim.SGD(
        [nn.Parameter(torch.ones(1))], lr=wrapper.optimizer.lr
    )
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))
        for s in cfg.param_scheduler or ()
    ]
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    epochs = row['epochs'] + row.get('tail', 0)
    wanted = [rate(row, epoch) for epoch in range(epochs)]
    assert rates == pytest.approx(wanted, rel=1e-12)


def test_optimizer_groups(cfg, row, backbone):
    """No decay for the class token and what has one dimension."""
    model = nn.ModuleDict(dict(backbone=backbone, fc=nn.Linear(2, 2)))
    shapes = {name: p.ndim for name, p in model.named_parameters()}
    groups = parameter_groups(cfg.optim_wrapper, model)
    assert groups == {
        name: (
            row['lr'],
            0.0
            if ndim == 1 or name == 'backbone.cls_token'
            else row['weight_decay'],
        )
        for name, ndim in shapes.items()
    }


@pytest.mark.parametrize(
    ('arch', 'name', 'decayed'),
    [
        ('b_ls', 'blocks3.0.gamma_1', False),
        ('b_ls', 'blocks1.0.pos_embed.weight', True),
        ('b_ls', 'patch_embed1.norm.weight', False),
        ('l', 'blocks1.0.gamma_1', True),
        ('l', 'blocks4.0.gamma_2', False),
    ],
)
def test_what_is_decayed(arch, name, decayed):
    cfg = load('cls', 'uniformer_b_ls')
    cfg.model.backbone.arch = arch
    groups = parameter_groups(cfg.optim_wrapper, build_backbone(cfg))
    assert groups[name][1] == (0.05 if decayed else 0.0)


def test_evaluation_in_mixed_precision(cfg, row):
    assert cfg.val_cfg.fp16 == cfg.test_cfg.fp16 == row['amp']


def test_averaged_weights(cfg, row):
    ema = cfg.default_hooks.get('ema')
    if row['ema'] is None:
        assert ema is None
        return
    assert (ema.type, ema.momentum) == ('EMAHook', row['ema'])
    assert ema.update_buffers


def test_images_per_step(cfg, row):
    loader = cfg.train_dataloader
    assert loader.batch_size == row['batch'] and loader.drop_last
    assert cfg.auto_scale_lr.base_batch_size == 8 * row['batch']
    assert loader.sampler.get('num_repeats') == row['repeats']
    assert loader.sampler.shuffle
    seed = 42 if is_tl(row) else 0
    assert cfg.randomness == dict(seed=seed, diff_rank_seed=True)


def test_loss_and_mixing(cfg, row):
    head = cfg.model.head
    if is_tl(row):
        assert cfg.model.type == 'mmuniformer.TokenLabelClassifier'
        assert not cfg.model.train_cfg
        assert (head.label_size, head.smoothing) == (row['label_size'], 0.1)
        assert head.box_order == 'published'
        return
    assert cfg.model.head.loss == dict(
        type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'
    )
    assert cfg.model.train_cfg == dict(
        augments=[
            dict(type='Mixup', alpha=0.8),
            dict(type='CutMix', alpha=1.0),
        ]
    )


def test_weights_of_a_new_head(cfg, row):
    if not is_tl(row):  # else the default of its class
        assert cfg.model.head.init_cfg == dict(
            type='TruncNormal', layer='Linear', std=0.02, bias=0.0
        )


def test_pictures_are_read_by_pillow_and_not_turned(cfg):
    for split in ('train', 'val', 'test'):
        read = cfg[f'{split}_dataloader'].dataset.pipeline[0]
        scope = 'mmuniformer.' if split == 'train' else ''
        assert read == dict(
            type=f'{scope}LoadImageFromFile',
            color_type='color_ignore_orientation',
            imdecode_backend='pillow',
        )


def check_augment(augment, erase, row):
    assert augment.type == 'mmuniformer.TimmAutoAugment'
    assert augment.policy == row['policy']
    assert augment.get('size', 224) == row['size']
    assert augment.get('interpolation', 'bicubic') == (
        'random' if is_tl(row) else 'bicubic'
    )
    assert erase.type == 'mmuniformer.TimmRandomErasing' and erase.prob == 0.25
    assert list(erase.mean) == row['mean'][::-1]
    assert list(erase.std) == row['std'][::-1]
    assert erase.on_device


def test_training_pipeline(cfg, row):
    pipeline = cfg.train_dataloader.dataset.pipeline
    areas = dict(
        scale=row['size'],
        crop_ratio_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
    )
    if is_tl(row):
        _, read, flip, augment, crop, erase, pack = pipeline
        assert read.type == 'mmuniformer.LoadTokenLabel'
        assert flip == dict(type='mmuniformer.TokenLabelFlip', prob=0.5)
        assert crop == dict(
            type='mmuniformer.TokenLabelCrop',
            interpolations=('bilinear', 'bicubic'),
            **areas,
        )
        assert pack.algorithm_keys == ('token_label', 'crop_box')
    else:
        _, crop, flip, augment, erase, _ = pipeline
        assert flip == dict(type='mmuniformer.RandomFlip', prob=0.5)
        assert crop == dict(
            type='mmuniformer.RandomResizedCrop',
            interpolation='bicubic',
            backend='pillow',
            **areas,
        )
    check_augment(augment, erase, row)
    last = pipeline[-1]
    assert last.type == 'mmuniformer.PackInputs'
    prepare = cfg.model.data_preprocessor
    assert prepare.type == 'mmuniformer.ClsDataPreprocessor'


def test_test_pipeline(cfg, row):
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        _, resize, crop, _ = loader.dataset.pipeline
        assert (resize.scale, resize.edge) == (row['test_resize'], 'short')
        assert (resize.interpolation, resize.backend) == ('bicubic', 'pillow')
        assert crop == dict(type='CenterCrop', crop_size=row['size'])


def test_flops(model, row):
    """Those of the official code by fvcore, which the READMEs round."""
    total = sum(flops_by_part(model, (row['size'],) * 2).values())
    assert total / 1e9 == pytest.approx(row['gflops'], rel=0.01)
