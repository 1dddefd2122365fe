"""UniFormer-S, 300 epochs, ImageNet-1K.

Published: 82.9 top-1, 22M parameters, 3.6G FLOPs (README of
image_classification, uniformer_small).

    tools/dist_train.sh configs/cls/uniformer_s.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/cls_300e.py',
    '../_base_/cls_runtime.py',
]
