"""Cascade Mask R-CNN, UniFormer-S, hybrid windows of 14, 3x, COCO 2017.

Published: 52.1 box AP, 45.2 mask AP, 79M parameters, 747G FLOPs at 800x1280
(README of object_detection, cascade_mask_rcnn_3x_ms_hybrid_small; paper,
table on COCO detection with Cascade Mask R-CNN, 3x + MS).

    tools/dist_train.sh configs/det/cascade_mask_rcnn_uniformer_s_3x.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cascade_mask_rcnn_uniformer.py',
    '../_base_/datasets/coco_instance_3x.py',
    '../_base_/schedules/det_3x.py',
    '../_base_/det_runtime.py',
]

model = dict(
    backbone=dict(
        drop_path_rate=0.2,
        # Recompute all blocks of stage 3 in the backward pass.
        with_cp=(0, 0, 8, 0),
    )
)
