# HMDB51, split 1, as frames (recipes: video_classification/exp/*_hmdb51_*).
# Lists have lines `FOLDER FRAMES LABEL`. The authors read frames by OpenCV and
# never swapped channels: the published weights are for BGR.
_base_ = 'kinetics400.py'

train_pipeline = [
    dict(type='mmuniformer.DenseSample', clip_len=16, frame_interval=4),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    _base_.train_augment,
]
# The published test: five clips, three crops.
val_pipeline, test_pipeline = (
    [
        dict(
            type='mmuniformer.DenseSample',
            clip_len=16,
            frame_interval=4,
            num_clips=clips,
            test_mode=True,
        ),
        dict(type='RawFrameDecode'),
        dict(type='mmuniformer.ReverseChannels'),
        dict(type='mmuniformer.ClipResize', size=224),
        dict(type='mmuniformer.ClipCrop', size=224, **crops),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ]
    for clips, crops in ((1, {}), (5, dict(num_crops=3)))
)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        _delete_=True,
        type='mmuniformer.FrameDataset',
        data_root='data/hmdb51',
        ann_file='train.txt',
        data_prefix=dict(img='frames'),
        filename_tmpl='img_{:05}.jpg',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        ann_file='val.txt',
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    dataset=dict(val_dataloader['dataset'], pipeline=test_pipeline),
)
