"""UniFormer-B with token labeling, ImageNet-1K.

Published: 85.1 top-1, 50M parameters, 8.3G FLOPs (README of
image_classification, token_labeling, uniformer_base_tl_224).

    tools/dist_train.sh configs/cls/uniformer_b_tl.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_310e.py',
    '../_base_/cls_runtime.py',
]

# Heads of 32 channels, other than in the recipe without token labeling.
model = dict(backbone=dict(arch='b', head_dim=32, drop_path_rate=0.3))
default_hooks = dict(ema=dict(momentum=8e-5))
randomness = dict(seed=42)
