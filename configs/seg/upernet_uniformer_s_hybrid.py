"""UperNet, UniFormer-S with hybrid windows of 14, 160K iterations, ADE20K.

Published: 46.9 mIoU (48.0 with --tta), 52M parameters, 947G FLOPs at 512x2048
(README of semantic_segmentation, upernet_hybrid_small; paper, table on
ADE20K).

    tools/dist_train.sh configs/seg/upernet_uniformer_s_hybrid.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/upernet_uniformer.py',
    '../_base_/datasets/ade20k_upernet.py',
    '../_base_/schedules/seg_upernet_160k.py',
    '../_base_/seg_runtime.py',
]

model = dict(
    backbone=dict(drop_path_rate=0.25, attention='hybrid', window_size=14)
)
default_hooks = dict(checkpoint=dict(interval=16000))
