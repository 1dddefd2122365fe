"""UniFormer-L with token labeling, then 60 epochs at 384 pixels.

Published: 86.3 top-1, 100M parameters, 39.2G FLOPs (counted: 62.9G) (README of
image_classification, token_labeling, uniformer_large_ls_tl_384).

    tools/dist_train.sh configs/cls/uniformer_l_tl_384.py 8

8 GPUs, 32 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer_tl.py',
    '../_base_/datasets/imagenet_tl.py',
    '../_base_/schedules/cls_tl_384.py',
    '../_base_/cls_runtime.py',
]

input_size = 384
model = dict(
    backbone=dict(arch='l', drop_path_rate=0.3), head=dict(in_channels=640)
)
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=256)
# From the raw weights, as the authors' loader; without an average of its own.
default_hooks = dict(ema=None, start=dict(type='mmuniformer.StartFromRawHook'))
randomness = dict(seed=42)
# The authors' file: --cfg-options load_from=uniformer_large_ls_tl_224.pth
load_from = 'work_dirs/uniformer_l_tl/epoch_310.pth'
