"""UniFormer-B with token labeling, then 60 epochs at 384 pixels.

Published: 86.0 top-1, 50M parameters, 27.2G FLOPs (README of
image_classification, token_labeling, uniformer_base_tl_384).

    tools/dist_train.sh configs/cls/uniformer_b_tl_384.py 8

8 GPUs, 64 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_384.py',
    '../_base_/cls_runtime.py',
]

input_size = 384
model = dict(backbone=dict(arch='b', head_dim=32, drop_path_rate=0.3))
train_dataloader = dict(batch_size=64)
# From the raw weights, as the authors' loader; without an average of its own.
default_hooks = dict(ema=None, start=dict(type='mmuniformer.StartFromRawHook'))
randomness = dict(seed=42)
# The authors' file: --cfg-options load_from=uniformer_base_tl_224.pth
load_from = 'work_dirs/uniformer_b_tl/epoch_310.pth'
