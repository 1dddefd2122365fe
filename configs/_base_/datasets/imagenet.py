# ImageNet-1K at 224 pixels (recipes: image_classification/exp/*). Pictures
# are read and resized by Pillow, as in the recipes: OpenCV does not smooth
# before it makes them smaller. EXIF turns none of them.
train_pipeline = [
    dict(
        type='mmuniformer.LoadImageFromFile',
        color_type='color_ignore_orientation',
        imdecode_backend='pillow',
    ),
    dict(
        type='mmuniformer.RandomResizedCrop',
        scale=224,
        crop_ratio_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
        interpolation='bicubic',
        backend='pillow',
    ),
    dict(type='mmuniformer.RandomFlip', prob=0.5),
    # The recipes' color jitter of 0.4 is never applied beside it.
    dict(
        type='mmuniformer.TimmAutoAugment',
        policy='rand-m9-mstd0.5-inc1',
    ),
    dict(
        type='mmuniformer.TimmRandomErasing',
        prob=0.25,
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
        on_device=True,
    ),
    dict(type='mmuniformer.PackInputs'),
]
test_pipeline = [
    dict(
        type='LoadImageFromFile',
        color_type='color_ignore_orientation',
        imdecode_backend='pillow',
    ),
    dict(
        type='ResizeEdge',
        scale=256,
        edge='short',
        interpolation='bicubic',
        backend='pillow',
    ),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=128,  # per GPU; the recipes use 8 GPUs, 1024 images per step
    num_workers=10,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    # Every picture thrice, a third of the pictures per epoch. The recipes end
    # an epoch at a multiple of 256 pictures; so does `drop_last` here.
    sampler=dict(type='RepeatAugSampler', shuffle=True, num_repeats=3),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageNet',
        data_root='data/imagenet',
        data_prefix=dict(img_path='train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=10,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageNet',
        data_root='data/imagenet',
        data_prefix=dict(img_path='val'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
