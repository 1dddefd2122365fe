"""A classifier small enough for two CPU cores, on the toy world.

From random weights it learns the eight things of the toy world in minutes:

    tools/make_toyworld.py --layouts imagenet
    tools/dist_train.sh configs/cls/uniformer_toy.py 2
"""

_base_ = [
    '../_base_/models/cls_uniformer_toy.py',
    '../_base_/datasets/imagenet_toy.py',
    '../_base_/schedules/cls_toy.py',
    '../_base_/cls_runtime.py',
]

default_hooks = dict(ema=dict(momentum=0.02), logger=dict(interval=10))
log_processor = dict(window_size=10)
