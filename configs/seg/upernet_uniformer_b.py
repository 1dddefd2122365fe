"""UperNet, UniFormer-B with global attention, 160K iterations, ADE20K.

Published: 50.0 mIoU (50.8 with --tta), 80M parameters, 1227G FLOPs at
512x2048 (README of semantic_segmentation, upernet_global_base; paper, table
on ADE20K).

    tools/dist_train.sh configs/seg/upernet_uniformer_b.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.

The same weights in windows of 32 save FLOPs; testing with --cfg-options

    model.backbone.attention=window model.backbone.window_size=32
    model.backbone.attention=hybrid model.backbone.window_size=32

is published with 49.1 mIoU (50.6), 1066G, and 49.5 mIoU (50.7), 1106G.
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
        drop_path_rate=0.4,
        # Recompute the first two blocks of stage 3 in the backward pass.
        with_cp=(0, 0, 2, 0),
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
default_hooks = dict(checkpoint=dict(interval=16000))
