"""UniFormer-S with token labeling, ImageNet-1K.

Published: 83.4 top-1, 22M parameters, 3.6G FLOPs (README of
image_classification, token_labeling, uniformer_small_tl_224).

    tools/dist_train.sh configs/cls/uniformer_s_tl.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_310e.py',
    '../_base_/cls_runtime.py',
]

# Heads of 32 channels, other than in the recipe without token labeling.
model = dict(backbone=dict(head_dim=32))
default_hooks = dict(ema=dict(momentum=8e-5))
randomness = dict(seed=42)
