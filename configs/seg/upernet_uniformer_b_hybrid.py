"""UperNet, UniFormer-B with hybrid windows of 14, 160K iterations, ADE20K.

Published: 48.9 mIoU (50.0 with --tta), 80M parameters, 1085G FLOPs at
512x2048 (README of semantic_segmentation, upernet_hybrid_base; paper, table
on ADE20K).

    tools/dist_train.sh configs/seg/upernet_uniformer_b_hybrid.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/upernet_uniformer.py',
    '../_base_/datasets/ade20k_upernet.py',
    '../_base_/schedules/seg_upernet_160k.py',
    '../_base_/seg_runtime.py',
]

model = dict(
    backbone=dict(
        arch='b',
        attention='hybrid',
        window_size=14,
        drop_path_rate=0.4,
        # Recompute the first two blocks of stage 3 in the backward pass.
        with_cp=(0, 0, 2, 0),
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
default_hooks = dict(checkpoint=dict(interval=16000))
