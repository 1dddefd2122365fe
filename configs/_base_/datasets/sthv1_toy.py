# The motions of the toy world as frames, at 64 pixels. Without automatic
# augmentation and erasing, for so short a training; and with the centre of
# each segment: of so few frames a random one hides the speed.
_base_ = 'sthv1.py'

train_augment = dict(
    num_repeats=1,
    transforms=[
        dict(type='mmuniformer.ClipCrop', size=64),
        dict(
            type='mmuniformer.ClipResizedCrop',
            size=64,
            scale=(0.7, 1.0),
            ratio=(1.0, 1.0),
        ),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ],
)
train_pipeline = [
    dict(type='UniformSample', clip_len=8, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    dict(train_augment, type='mmuniformer.RepeatedAugment'),
]
val_pipeline = test_pipeline = [
    dict(type='UniformSample', clip_len=8, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    dict(type='mmuniformer.ClipResize', size=64),
    dict(type='mmuniformer.ClipCrop', size=64),
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
