# Kinetics-400, 16 frames over a span of 64, at 224 pixels (recipes:
# video_classification/exp/*_k400). Lists have lines `PATH,LABEL`, with paths
# in the folder of the split and labels by the authors' numbers.

# One clip, augmented twice. The recipes' jitter of scales and colours is never
# applied beside the random crop.
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
        dict(type='Flip', flip_ratio=0.5),
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
    dict(type='mmuniformer.DecordInit'),
    dict(type='mmuniformer.DenseSample', clip_len=16, frame_interval=4),
    dict(type='DecordDecode'),
    train_augment,
]
val_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(
        type='mmuniformer.DenseSample',
        clip_len=16,
        frame_interval=4,
        num_clips=1,
        test_mode=True,
    ),
    dict(type='DecordDecode'),
    dict(type='mmuniformer.ClipResize', size=224),
    dict(type='mmuniformer.ClipCrop', size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(
        type='mmuniformer.DenseSample',
        clip_len=16,
        frame_interval=4,
        num_clips=4,
        test_mode=True,
    ),
    dict(type='DecordDecode'),
    dict(type='mmuniformer.ClipResize', size=224),
    dict(type='mmuniformer.ClipCrop', size=224),
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
        type='mmuniformer.ClipDataset',
        data_root='data/kinetics400',
        ann_file='train.csv',
        data_prefix=dict(video='train'),
        pipeline=train_pipeline,
    ),
)
# While training: one view, the clip and the crop in the centre. The recipes
# validate on a random crop.
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmuniformer.ClipDataset',
        data_root='data/kinetics400',
        ann_file='val.csv',
        data_prefix=dict(video='val'),
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
# The published test: four clips, one crop.
test_dataloader = dict(
    val_dataloader,
    batch_size=4,
    dataset=dict(val_dataloader['dataset'], pipeline=test_pipeline),
)

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
