"""UniFormer-L with token labeling, ImageNet-1K.

Published: 85.6 top-1, 100M parameters, 12.6G FLOPs (counted: 19.8G) (README of
image_classification, token_labeling, uniformer_large_ls_tl_224).

    tools/dist_train.sh configs/cls/uniformer_l_tl.py 8

8 GPUs, 128 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_310e.py',
    '../_base_/cls_runtime.py',
]

model = dict(
    backbone=dict(arch='l', drop_path_rate=0.4), head=dict(in_channels=640)
)
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
default_hooks = dict(ema=dict(momentum=8e-5))
randomness = dict(seed=42)
