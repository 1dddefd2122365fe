"""Mask R-CNN, UniFormer-S with hybrid windows of 14, 1x schedule, COCO 2017.

Published: 45.6 box AP, 41.6 mask AP, 41M parameters, 269G FLOPs at 800x1280
(README of object_detection, mask_rcnn_1x_hybrid_small; paper, table on COCO
detection with Mask R-CNN, 1x).

    tools/dist_train.sh configs/det/mask_rcnn_uniformer_s.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.

The authors regret that they train the BatchNorms of the backbone. The variant
that keeps the statistics of the starting weights, a config of its own:

    _base_ = 'configs/det/mask_rcnn_uniformer_s.py'
    model = dict(backbone=dict(norm_eval=True))
"""

_base_ = [
    '../_base_/models/mask_rcnn_uniformer.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/det_1x.py',
    '../_base_/det_runtime.py',
]

model = dict(
    backbone=dict(
        drop_path_rate=0.2,
        # Recompute all blocks of stage 3 in the backward pass.
        with_cp=(0, 0, 8, 0),
    )
)
