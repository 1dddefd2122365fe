"""UniFormer-S with token labeling, then 60 epochs at 384 pixels.

Published: 84.6 top-1, 22M parameters, 11.9G FLOPs (README of
image_classification, token_labeling, uniformer_small_tl_384).

    tools/dist_train.sh configs/cls/uniformer_s_tl_384.py 8

8 GPUs, 64 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_384.py',
    '../_base_/cls_runtime.py',
]

input_size = 384
model = dict(backbone=dict(head_dim=32))
train_dataloader = dict(batch_size=64)
# From the raw weights, as the authors' loader; without an average of its own.
default_hooks = dict(ema=None, start=dict(type='mmuniformer.StartFromRawHook'))
randomness = dict(seed=42)
# The authors' file: --cfg-options load_from=uniformer_small_tl_224.pth
load_from = 'work_dirs/uniformer_s_tl/epoch_310.pth'
