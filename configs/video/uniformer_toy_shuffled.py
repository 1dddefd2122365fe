"""The test of uniformer_toy.py on videos with frames in a random order.

A model that has learned motion, and nothing else, is as good as chance:
12.5 %.

    tools/test.py configs/video/uniformer_toy_shuffled.py CHECKPOINT
"""

_base_ = [
    '../_base_/models/video_uniformer_toy.py',
    '../_base_/datasets/kinetics_toy.py',
    '../_base_/schedules/video_toy.py',
    '../_base_/video_runtime.py',
]

# The frames change places behind the reader.
test_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(
        type='mmuniformer.DenseSample',
        clip_len=8,
        frame_interval=3,
        num_clips=1,
        test_mode=True,
    ),
    dict(type='DecordDecode'),
    dict(type='mmuniformer.ShuffleFrames'),
    dict(type='mmuniformer.ClipResize', size=48),
    dict(type='mmuniformer.ClipCrop', size=48),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
