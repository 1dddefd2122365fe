"""A light video model small enough for two CPU cores, on the toy world.

From random weights it learns eight motions in minutes, of frames as files:

    tools/make_toyworld.py --layouts ssv
    tools/dist_train.sh configs/video/uniformer_xxs_toy.py 2

With shuffled frames the same weights are as good as chance, 12.5 %:

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
default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
