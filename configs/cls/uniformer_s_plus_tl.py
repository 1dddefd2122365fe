"""UniFormer-S+ with token labeling, ImageNet-1K.

Published: 83.9 top-1, 24M parameters, 4.2G FLOPs (README of
image_classification, token_labeling, uniformer_small_plus_tl_224).

    tools/dist_train.sh configs/cls/uniformer_s_plus_tl.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_310e.py',
    '../_base_/cls_runtime.py',
]

model = dict(backbone=dict(arch='s_plus'))
default_hooks = dict(ema=dict(momentum=8e-5))
randomness = dict(seed=42)
