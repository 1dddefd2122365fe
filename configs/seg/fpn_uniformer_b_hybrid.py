"""Semantic FPN, UniFormer-B with hybrid windows of 14, 80K iterations, ADE20K.

Published: 47.0 mIoU, 54M parameters, 328G FLOPs at 512x2048 (README of
semantic_segmentation, fpn_hybrid_base; paper, table on ADE20K).

    tools/dist_train.sh configs/seg/fpn_uniformer_b_hybrid.py 8

8 GPUs, 4 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = 'fpn_uniformer_b.py'

model = dict(backbone=dict(attention='hybrid', window_size=14))
