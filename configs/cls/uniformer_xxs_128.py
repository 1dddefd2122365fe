"""UniFormer-XXS at 128 pixels, 600 epochs, ImageNet-1K.

Published: 76.8 top-1, 10.2M parameters, 0.43G FLOPs (README of
image_classification, exp_light/xxs_128).

    tools/dist_train.sh configs/cls/uniformer_xxs_128.py 8

8 GPUs, 512 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_light.py',
    '../_base_/datasets/imagenet_light.py',
    '../_base_/schedules/cls_light_600e.py',
    '../_base_/cls_runtime.py',
]

input_size = 128
# Weaker than RandAugment; not the policy that mmpretrain calls 'imagenet'.
policy = 'v0'
default_hooks = dict(ema=dict(momentum=1e-4))
