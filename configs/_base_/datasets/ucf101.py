# UCF101, split 1 (recipes: video_classification/exp/*_ucf101_*). Lists have
# lines `PATH LABEL`.
_base_ = 'kinetics400.py'

test_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(
        type='mmuniformer.DenseSample',
        clip_len=16,
        frame_interval=4,
        num_clips=5,
        test_mode=True,
    ),
    dict(type='DecordDecode'),
    dict(type='mmuniformer.ClipResize', size=224),
    dict(type='mmuniformer.ClipCrop', size=224, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        data_root='data/ucf101',
        data_prefix=dict(video='videos'),
        delimiter=' ',
    ),
)
val_dataloader = dict(dataset=train_dataloader['dataset'])
# The published test: five clips, three crops.
test_dataloader = dict(
    batch_size=1,
    dataset=dict(train_dataloader['dataset'], pipeline=test_pipeline),
)
