"""Semantic FPN, UniFormer-S with hybrid windows of 14, 80K iterations, ADE20K.

Published: 46.3 mIoU, 25M parameters, 172G FLOPs at 512x2048 (README of
semantic_segmentation, fpn_hybrid_small; paper, table on ADE20K). The FLOPs
must be 191G by the difference to the other rows.

    tools/dist_train.sh configs/seg/fpn_uniformer_s_hybrid.py 8

8 GPUs, 4 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/fpn_uniformer.py',
    '../_base_/datasets/ade20k_fpn.py',
    '../_base_/schedules/seg_fpn_80k.py',
    '../_base_/seg_runtime.py',
]

model = dict(
    backbone=dict(drop_path_rate=0.1, attention='hybrid', window_size=14)
)
