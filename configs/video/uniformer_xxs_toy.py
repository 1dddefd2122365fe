"""A light video model small enough for two CPU cores, on the toy world.

From random weights it learns eight motions in minutes, of frames as files:

    tools/make_toyworld.py --layouts ssv
    tools/dist_train.sh configs/video/uniformer_xxs_toy.py 2

With shuffled frames the same weights are as good as chance, 12.5 %:

    tools/test.py configs/video/uniformer_xxs_toy_shuffled.py CHECKPOINT
"""

_base_ = [
    '../_base_/models/video_uniformer_light.py',
    '../_base_/datasets/sthv1.py',
    '../_base_/schedules/video_light_110e.py',
]

model = dict(
    data_preprocessor=dict(blending=None),
    backbone=dict(
        arch=dict(
            _delete_=True,
            depths=(1, 1, 2, 1),
            embed_dims=(32, 64, 128, 192),
            head_dim=32,
            stems=('conv', 'patch', 'patch', 'patch'),
            mlp_ratio=3,
        ),
        drop_path_rate=0.0,
        init_cfg=None,
    ),
    cls_head=dict(num_classes=8, in_channels=192),
)

# Without automatic augmentation and erasing, for so short a training; and with
# the centre of each segment: of so few frames a random one hides the speed.
__train = _base_.train_dataloader.dataset.pipeline
__train[0].update(clip_len=8, test_mode=True)
__augment = __train[3].transforms
__augment[1].update(size=64, scale=(0.7, 1.0), ratio=(1.0, 1.0))
__train[3].num_repeats = 1
__train[3].transforms = [
    dict(type='mmuniformer.ClipCrop', size=64),
    __augment[1],
    *__augment[-2:],
]
train_dataloader = dict(batch_size=16, num_workers=1)
__test = _base_.val_dataloader.dataset.pipeline
__test[0].clip_len = 8
__test[3].size = 64
__test[4].size = 64
val_dataloader = dict(
    batch_size=50, num_workers=1, dataset=dict(pipeline=__test)
)
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=14, val_interval=14)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=14,
        warmup_epochs=1,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
    ),
    clip_grad=dict(max_norm=20),
)
default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
