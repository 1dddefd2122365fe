"""UperNet, UniFormer-S with global attention, 160K iterations, ADE20K.

Published: 47.6 mIoU (48.5 with --tta), 52M parameters, 1004G FLOPs at
512x2048 (README of semantic_segmentation, upernet_global_small; paper, table
on ADE20K).

    tools/dist_train.sh configs/seg/upernet_uniformer_s.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.

The same weights in windows of 32 save FLOPs; testing with --cfg-options

    model.backbone.attention=window model.backbone.window_size=32
    model.backbone.attention=hybrid model.backbone.window_size=32

is published with 46.6 mIoU (48.4), 939G, and 47.0 mIoU (48.5), 955G.
"""

_base_ = [
    '../_base_/models/upernet_uniformer.py',
    '../_base_/datasets/ade20k_upernet.py',
    '../_base_/schedules/seg_upernet_160k.py',
    '../_base_/seg_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.25))
default_hooks = dict(checkpoint=dict(interval=16000))
