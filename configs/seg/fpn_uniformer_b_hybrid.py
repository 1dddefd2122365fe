"""Semantic FPN, UniFormer-B with hybrid windows of 14, 80K iterations, ADE20K.

Published: 47.0 mIoU, 54M parameters, 328G FLOPs at 512x2048 (README of
semantic_segmentation, fpn_hybrid_base; paper, table on ADE20K).

    tools/dist_train.sh configs/seg/fpn_uniformer_b_hybrid.py 8

8 GPUs, 4 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/fpn_uniformer.py',
    '../_base_/datasets/ade20k_fpn.py',
    '../_base_/schedules/seg_fpn_80k.py',
    '../_base_/seg_runtime.py',
]

model = dict(
    backbone=dict(
        arch='b',
        attention='hybrid',
        window_size=14,
        drop_path_rate=0.2,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
