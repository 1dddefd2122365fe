"""UniFormer-XS at 224 pixels, 600 epochs, ImageNet-1K.

Published: 82.0 top-1, 16.5M parameters, 2.0G FLOPs (README of
image_classification, exp_light/xs_224).

    tools/dist_train.sh configs/cls/uniformer_xs_224.py 8

8 GPUs, 512 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_light.py',
    '../_base_/datasets/imagenet_light.py',
    '../_base_/schedules/cls_light_600e.py',
    '../_base_/cls_runtime.py',
]

model = dict(
    backbone=dict(arch='xs', drop_path_rate=0.1),
    head=dict(in_channels=512),
)
optim_wrapper = dict(optimizer=dict(lr=4e-3, weight_decay=0.05))
default_hooks = dict(ema=dict(momentum=1e-4))
