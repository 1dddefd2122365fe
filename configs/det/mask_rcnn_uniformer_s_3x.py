"""Mask R-CNN, UniFormer-S with hybrid windows of 14, 3x schedule, COCO 2017.

Published: 48.2 box AP, 43.4 mask AP, 41M parameters, 269G FLOPs at 800x1280
(README of object_detection, mask_rcnn_3x_ms_hybrid_small; paper, table on
COCO detection with Mask R-CNN, 3x + MS).

    tools/dist_train.sh configs/det/mask_rcnn_uniformer_s_3x.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/mask_rcnn_uniformer.py',
    '../_base_/datasets/coco_instance_3x.py',
    '../_base_/schedules/det_3x.py',
    '../_base_/det_runtime.py',
]

model = dict(
    backbone=dict(
        drop_path_rate=0.1,
        # Recompute all blocks of stage 3 in the backward pass.
        with_cp=(0, 0, 8, 0),
    )
)
