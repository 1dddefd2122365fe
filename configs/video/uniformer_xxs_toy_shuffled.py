"""The test of uniformer_xxs_toy.py on videos with frames in a random order.

A model that has learned motion, and nothing else, is as good as chance:
12.5 %.

    tools/test.py configs/video/uniformer_xxs_toy_shuffled.py CHECKPOINT
"""

_base_ = [
    '../_base_/models/video_uniformer_toy.py',
    '../_base_/datasets/sthv1_toy.py',
    '../_base_/schedules/video_toy.py',
    '../_base_/video_runtime.py',
]

model = dict(
    backbone=dict(type='mmuniformer.UniFormerLight', with_cls_token=True),
    cls_head=dict(type='mmuniformer.LightVideoHead'),
)
# The frames change places behind the reader.
test_pipeline = [
    dict(type='UniformSample', clip_len=8, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='mmuniformer.ReverseChannels'),
    dict(type='mmuniformer.ShuffleFrames'),
    dict(type='mmuniformer.ClipResize', size=64),
    dict(type='mmuniformer.ClipCrop', size=64),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
