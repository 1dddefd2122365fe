# ImageNet-1K with label maps for its pictures (recipes: token_labeling/exp/*,
# label_top5_train_nfnet). Here the crop comes after the augmentation.
_base_ = 'imagenet.py'

train_pipeline = [
    dict(
        type='mmuniformer.LoadImageFromFile',
        color_type='color_ignore_orientation',
        imdecode_backend='pillow',
    ),
    dict(
        type='mmuniformer.LoadTokenLabel',
        folder='data/imagenet/label_top5_train_nfnet',
    ),
    dict(type='mmuniformer.TokenLabelFlip', prob=0.5),
    dict(
        type='mmuniformer.TimmAutoAugment',
        policy='rand-m9-mstd0.5-inc1',
        interpolation='random',
    ),
    dict(
        type='mmuniformer.TokenLabelCrop',
        scale=224,
        crop_ratio_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
        interpolations=('bilinear', 'bicubic'),
    ),
    dict(
        type='mmuniformer.TimmRandomErasing',
        prob=0.25,
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
        on_device=True,
    ),
    dict(
        type='mmuniformer.PackInputs',
        algorithm_keys=('token_label', 'crop_box'),
    ),
]
test_pipeline = [
    dict(
        type='LoadImageFromFile',
        color_type='color_ignore_orientation',
        imdecode_backend='pillow',
    ),
    dict(
        type='ResizeEdge',
        scale=248,  # 224 / 0.9
        edge='short',
        interpolation='bicubic',
        backend='pillow',
    ),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
