# ADE20K for Semantic FPN (recipes: semantic_segmentation/fpn_seg/exp/*).
_base_ = 'ade20k.py'

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(2048, 512), keep_ratio=True),
    # Up, by a second resize, so that no stage floors its size; the
    # 'AlignResize' of the recipes.
    dict(type='ResizeToMultiple', size_divisor=32),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(batch_size=4)  # 8 GPUs, 32 images per step
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
