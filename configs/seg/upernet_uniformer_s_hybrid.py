"""UperNet, UniFormer-S with hybrid windows of 14, 160K iterations, ADE20K.

Published: 46.9 mIoU (48.0 with --tta), 52M parameters, 947G FLOPs at 512x2048
(README of semantic_segmentation, upernet_hybrid_small; paper, table on
ADE20K).

    tools/dist_train.sh configs/seg/upernet_uniformer_s_hybrid.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = 'upernet_uniformer_s.py'

model = dict(backbone=dict(attention='hybrid', window_size=14))
