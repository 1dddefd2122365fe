"""A top-down pose model small enough for two CPU cores, on the toy world.

From random weights to 0.70 AP in five minutes of CPU time, over two cores:

    tools/make_toyworld.py
    tools/dist_train.sh configs/pose/topdown_uniformer_toy.py 2
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

codec = dict(input_size=(96, 128), heatmap_size=(24, 32), sigma=1.5)
model = dict(
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
    head=dict(
        in_channels=192,
        deconv_out_channels=(96, 64, 64),
    ),
)

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='mmuniformer.RandomCenterShift', factor=0.1, prob=0.5),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='mmuniformer.RandomScaleRotation',
        scale_factor=0.1,
        rotate_factor=10,
        rotate_prob=0.5,
    ),
    dict(type='TopdownAffine', input_size=(96, 128)),
    dict(type='GenerateTarget', encoder=dict(type='MSRAHeatmap')),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=32)
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=12, val_interval=12)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        T_max=12,
        convert_to_iter_based=True,
    ),
]
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=10),
)
default_hooks = dict(
    checkpoint=dict(interval=1, save_best=None),
    logger=dict(interval=20),
)
log_processor = dict(window_size=20)
