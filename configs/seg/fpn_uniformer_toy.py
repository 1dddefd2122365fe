"""A Semantic FPN small enough for two CPU cores, on the toy world.

It learns in minutes and from random weights, to a mIoU of about 0.65 over the
17 of the 150 classes that occur (mmseg leaves out the others):

    tools/make_toyworld.py
    tools/dist_train.sh configs/seg/fpn_uniformer_toy.py 2
"""

_base_ = [
    '../_base_/models/fpn_uniformer.py',
    '../_base_/datasets/ade20k_fpn.py',
    '../_base_/schedules/seg_fpn_80k.py',
    '../_base_/seg_runtime.py',
]

model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(
        arch=dict(
            _delete_=True,
            depths=(1, 2, 3, 1),
            embed_dims=(32, 64, 128, 192),
            head_dim=32,
            stems=('conv',) * 4,
            mlp_ratio=3,
        ),
        drop_path_rate=0.0,
        init_cfg=None,
    ),
    neck=dict(in_channels=[32, 64, 128, 192], out_channels=64),
    decode_head=dict(in_channels=[64, 64, 64, 64], channels=64),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=(256, 192), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(96, 96), cat_max_ratio=0.5),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 192), keep_ratio=True),
    dict(type='ResizeToMultiple', size_divisor=32),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_iters=800, val_interval=800)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, T_max=800),
]
optim_wrapper = dict(
    optimizer=dict(lr=2e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=10),
)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=400))
log_processor = dict(window_size=20)
