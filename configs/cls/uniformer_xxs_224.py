"""UniFormer-XXS at 224 pixels, 600 epochs, ImageNet-1K.

Published: 80.6 top-1, 10.2M parameters, 1.3G FLOPs (README of
image_classification, exp_light/xxs_224).

    tools/dist_train.sh configs/cls/uniformer_xxs_224.py 8

8 GPUs, 512 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_light.py',
    '../_base_/datasets/imagenet_light.py',
    '../_base_/schedules/cls_light_600e.py',
    '../_base_/cls_runtime.py',
]

# Weaker than RandAugment; not the policy that mmpretrain calls 'imagenet'.
policy = 'v0'
default_hooks = dict(ema=dict(momentum=1e-4))
