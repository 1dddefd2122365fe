"""Semantic FPN, UniFormer-B with global attention, 80K iterations, ADE20K.

Published: 48.0 mIoU, 54M parameters, 471G FLOPs at 512x2048 (README of
semantic_segmentation, fpn_global_base; paper, table on ADE20K).

    tools/dist_train.sh configs/seg/fpn_uniformer_b.py 8

8 GPUs, 4 images each; other batch sizes: add --auto-scale-lr.

The same weights in windows of 32 save FLOPs; testing with --cfg-options

    model.backbone.attention=window model.backbone.window_size=32
    model.backbone.attention=hybrid model.backbone.window_size=32

is published with 47.0 mIoU, 310G, and 47.7 mIoU, 350G.
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
        drop_path_rate=0.2,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
