"""Semantic FPN, UniFormer-XS, 80K iterations, ADE20K.

Published: 44.4 mIoU, 19.7M parameters (README of semantic_segmentation,
fpn_xs).

    tools/dist_train.sh configs/seg/fpn_uniformer_xs.py 8

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
        type='mmuniformer.UniFormerLight',
        arch='xs',
        drop_path_rate=0.1,
        init_cfg=dict(
            checkpoint='uniformer_xs_224_in1k',
        ),
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
