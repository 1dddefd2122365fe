"""Semantic FPN, UniFormer-XXS, 80K iterations, ADE20K.

Published: 42.3 mIoU, 13.5M parameters (README of semantic_segmentation,
fpn_xxs).

    tools/dist_train.sh configs/seg/fpn_uniformer_xxs.py 8

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
        arch='xxs',
        drop_path_rate=0.0,
        init_cfg=dict(
            checkpoint='uniformer_xxs_224_in1k',
        ),
    ),
    neck=dict(in_channels=[56, 112, 224, 448]),
)
