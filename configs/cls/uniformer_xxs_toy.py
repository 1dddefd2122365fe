"""A light classifier small enough for two CPU cores, on the toy world.

From random weights it learns the eight things of the toy world in minutes:

    tools/make_toyworld.py --layouts imagenet
    tools/dist_train.sh configs/cls/uniformer_xxs_toy.py 2
"""

_base_ = 'uniformer_toy.py'

model = dict(
    backbone=dict(
        type='mmuniformer.UniFormerLight',
        arch=dict(stems=('conv', 'patch', 'patch', 'patch')),
        with_cls_token=True,
    ),
    neck=None,
    head=dict(type='mmuniformer.LightClsHead'),
)
optim_wrapper = dict(type='OptimWrapper')
