"""UniFormer-B, 300 epochs, ImageNet-1K.

Published: 83.8 top-1, 50M parameters, 8.3G FLOPs (README of
image_classification, uniformer_base).

    tools/dist_train.sh configs/cls/uniformer_b.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/cls_300e.py',
    '../_base_/cls_runtime.py',
]

model = dict(backbone=dict(arch='b', drop_path_rate=0.3))
optim_wrapper = dict(optimizer=dict(lr=8e-4))
