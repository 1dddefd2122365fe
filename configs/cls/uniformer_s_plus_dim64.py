"""UniFormer-S+ with heads of 64 channels, 300 epochs, ImageNet-1K.

Published: 83.4 top-1, 24M parameters, 4.2G FLOPs (README of
image_classification, uniformer_small_plus_dim64).

    tools/dist_train.sh configs/cls/uniformer_s_plus_dim64.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/cls_300e.py',
    '../_base_/cls_runtime.py',
]

model = dict(backbone=dict(arch='s_plus', head_dim=64))
