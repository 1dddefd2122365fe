"""A classifier small enough for two CPU cores, on the toy world.

From random weights it learns the eight things of the toy world in minutes:

    tools/make_toyworld.py --layouts imagenet
    tools/dist_train.sh configs/cls/uniformer_toy.py 2
"""

_base_ = 'uniformer_s.py'

model = dict(
    data_preprocessor=dict(num_classes=8),
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
    ),
    head=dict(num_classes=8, in_channels=192),
    train_cfg=None,
)

__train = _base_.train_dataloader.dataset.pipeline
__train[1].update(scale=64, crop_ratio_range=(0.5, 1.0))
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CustomDataset',
        # Without automatic augmentation and erasing, for so short a training.
        pipeline=[*__train[:3], __train[-1]],
    ),
)
__test = _base_.val_dataloader.dataset.pipeline
__test[1].scale = 64
__test[2].crop_size = (64, 86)
val_dataloader = dict(
    batch_size=50,
    num_workers=2,
    dataset=dict(type='CustomDataset', pipeline=__test),
)
test_dataloader = val_dataloader
val_evaluator = dict(topk=(1,))
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=15, val_interval=15)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        T_max=15,
        convert_to_iter_based=True,
    ),
]
optim_wrapper = dict(
    optimizer=dict(lr=2e-3),
    clip_grad=dict(max_norm=10),
)
default_hooks = dict(
    ema=dict(momentum=0.02),
    logger=dict(interval=10),
)
log_processor = dict(window_size=10)
