"""UniFormer-B with token labeling, heads of 64 channels, ImageNet-1K.

Published: 84.8 top-1, 50M parameters, 8.3G FLOPs (README of
image_classification, token_labeling, uniformer_base_dim64_tl_224).

    tools/dist_train.sh configs/cls/uniformer_b_dim64_tl.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_310e.py',
    '../_base_/cls_runtime.py',
]

model = dict(backbone=dict(arch='b', head_dim=64, drop_path_rate=0.3))
default_hooks = dict(ema=dict(momentum=8e-5))
randomness = dict(seed=42)
