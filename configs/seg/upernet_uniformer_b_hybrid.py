"""UperNet, UniFormer-B with hybrid windows of 14, 160K iterations, ADE20K.

Published: 48.9 mIoU (50.0 with --tta), 80M parameters, 1085G FLOPs at
512x2048 (README of semantic_segmentation, upernet_hybrid_base; paper, table
on ADE20K).

    tools/dist_train.sh configs/seg/upernet_uniformer_b_hybrid.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = 'upernet_uniformer_b.py'

model = dict(backbone=dict(attention='hybrid', window_size=14))
