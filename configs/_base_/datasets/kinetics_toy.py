# The motions of the toy world as videos, at 48 pixels. A clip of 8 frames
# shows all of a video. To the right flipped is to the left, and for so short
# a training there is no automatic augmentation.
_base_ = 'kinetics400.py'

train_augment = dict(
    num_repeats=1,
    transforms=[
        dict(type='mmuniformer.ClipCrop', size=64),
        dict(
            type='mmuniformer.ClipResizedCrop',
            size=48,
            scale=(0.7, 1.0),
            ratio=(1.0, 1.0),
        ),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ],
)
train_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(type='mmuniformer.DenseSample', clip_len=8, frame_interval=3),
    dict(type='DecordDecode'),
    dict(train_augment, type='mmuniformer.RepeatedAugment'),
]
val_pipeline = test_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(
        type='mmuniformer.DenseSample',
        clip_len=8,
        frame_interval=3,
        num_clips=1,
        test_mode=True,
    ),
    dict(type='DecordDecode'),
    dict(type='mmuniformer.ClipResize', size=48),
    dict(type='mmuniformer.ClipCrop', size=48),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(
    batch_size=16, num_workers=1, dataset=dict(pipeline=train_pipeline)
)
val_dataloader = dict(
    batch_size=50, num_workers=1, dataset=dict(pipeline=test_pipeline)
)
test_dataloader = val_dataloader
