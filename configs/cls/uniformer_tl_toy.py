"""Token labeling small enough for two CPU cores, on the toy world.

The classifier of the toy world labels the pictures for its successor:

    tools/make_toyworld.py --layouts imagenet
    tools/dist_train.sh configs/cls/uniformer_toy.py 2
    tools/make_token_labels.py configs/cls/uniformer_toy.py \
        work_dirs/uniformer_toy/epoch_15.pth data/imagenet/labels_toy \
        --size 128
    tools/dist_train.sh configs/cls/uniformer_tl_toy.py 2
"""

_base_ = [
    '../_base_/models/cls_uniformer_toy.py',
    '../_base_/datasets/imagenet_toy.py',
    '../_base_/schedules/cls_toy.py',
    '../_base_/cls_runtime.py',
]

model = dict(
    type='mmuniformer.TokenLabelClassifier',
    neck=None,
    head=dict(
        _delete_=True,
        type='mmuniformer.TokenLabelHead',
        num_classes=8,
        in_channels=192,
        label_size=2,
        box_order='xy',  # as the tool's maps are not transposed
    ),
)
train_pipeline = [
    dict(
        type='LoadImageFromFile',
        color_type='color_ignore_orientation',
        imdecode_backend='pillow',
    ),
    dict(
        type='mmuniformer.LoadTokenLabel',
        folder='data/imagenet/labels_toy',
        num_classes=8,
    ),
    dict(type='mmuniformer.TokenLabelFlip', prob=0.5),
    dict(
        type='mmuniformer.TokenLabelCrop',
        scale=64,
        crop_ratio_range=(0.5, 1.0),
    ),
    dict(type='PackInputs', algorithm_keys=('token_label', 'crop_box')),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# Mixed pictures and soft labels take longer.
train_cfg = dict(max_epochs=20, val_interval=20)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        T_max=20,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(ema=dict(momentum=0.02), logger=dict(interval=10))
log_processor = dict(window_size=10)
