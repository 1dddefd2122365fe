# Something-Something V1, 16 frames spread over the whole video, at 224 pixels
# (recipes: video_classification/exp/*_sthv1_*). Lists have lines `FOLDER
# FRAMES LABEL`. The authors read frames by OpenCV and never swapped channels:
# the published weights are for BGR. Nothing is flipped: left and right are in
# the labels.

train_augment = dict(
    type='mmuniformer.RepeatedAugment',
    num_repeats=2,
    transforms=[
        dict(
            type='mmuniformer.ClipAutoAugment',
            policy='rand-m7-n4-mstd0.5-inc1',
        ),
        dict(
            type='mmuniformer.ClipResizedCrop',
            size=224,
            scale=(0.08, 1.0),
            ratio=(3 / 4, 4 / 3),
        ),
        dict(
            type='mmuniformer.ClipErasing',
            prob=0.25,
            mean=(114.75, 114.75, 114.75),
            std=(57.375, 57.375, 57.375),
        ),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ],
)
train_pipeline = [
    dict(type='UniformSample', clip_len=16),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    train_augment,
]
val_pipeline = [
    dict(type='UniformSample', clip_len=16, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    dict(type='mmuniformer.ClipResize', size=224),
    dict(type='mmuniformer.ClipCrop', size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='UniformSample', clip_len=16, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    dict(type='mmuniformer.ClipResize', size=224),
    dict(type='mmuniformer.ClipCrop', size=224, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]

train_dataloader = dict(
    batch_size=4,  # videos per GPU, two clips of each; the recipes use 8 GPUs
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='repeat_pseudo_collate'),
    dataset=dict(
        type='mmuniformer.FrameDataset',
        data_root='data/sthv1',
        ann_file='train.txt',
        data_prefix=dict(img='20bn-something-something-v1'),
        filename_tmpl='{:05}.jpg',
        pipeline=train_pipeline,
    ),
)
# While training: one view, the crop in the centre. The recipes validate on a
# random crop.
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmuniformer.FrameDataset',
        data_root='data/sthv1',
        ann_file='val.txt',
        data_prefix=dict(img='20bn-something-something-v1'),
        filename_tmpl='{:05}.jpg',
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
# The published test: one clip, three crops.
test_dataloader = dict(
    val_dataloader,
    batch_size=4,
    dataset=dict(val_dataloader['dataset'], pipeline=test_pipeline),
)

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
