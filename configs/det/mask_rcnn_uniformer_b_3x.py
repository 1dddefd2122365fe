"""Mask R-CNN, UniFormer-B with hybrid windows of 14, 3x schedule, COCO 2017.

Published: 50.3 box AP, 44.8 mask AP, 69M parameters, 399G FLOPs at 800x1280
(README of object_detection, mask_rcnn_3x_ms_hybrid_base; paper, table on COCO
detection with Mask R-CNN, 3x + MS).

    tools/dist_train.sh configs/det/mask_rcnn_uniformer_b_3x.py 8

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
        arch='b',
        drop_path_rate=0.3,
        with_cp=(0, 0, 20, 0),
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
