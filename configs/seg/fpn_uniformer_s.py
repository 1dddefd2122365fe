"""Semantic FPN, UniFormer-S with global attention, 80K iterations, ADE20K.

Published: 46.6 mIoU, 25M parameters, 247G FLOPs at 512x2048 (README of
semantic_segmentation, fpn_global_small; paper, table on ADE20K).

    tools/dist_train.sh configs/seg/fpn_uniformer_s.py 8

8 GPUs, 4 images each; other batch sizes: add --auto-scale-lr.

The same weights in windows of 32 save FLOPs; testing with --cfg-options

    model.backbone.attention=window model.backbone.window_size=32
    model.backbone.attention=hybrid model.backbone.window_size=32

is published with 45.6 mIoU, 183G, and 46.2 mIoU, 199G.

The authors advise to freeze the statistics of the backbone's BatchNorms, which
they had not done in any dense task. As a config of your own:

    _base_ = 'configs/seg/fpn_uniformer_s.py'
    model = dict(backbone=dict(norm_eval=True))
"""

_base_ = [
    '../_base_/models/fpn_uniformer.py',
    '../_base_/datasets/ade20k_fpn.py',
    '../_base_/schedules/seg_fpn_80k.py',
    '../_base_/seg_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.1))
