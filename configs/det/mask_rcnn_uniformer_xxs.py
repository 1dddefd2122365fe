"""Mask R-CNN, UniFormer-XXS, 1x schedule, COCO 2017.

Published: 42.8 box AP, 39.2 mask AP, 29.4M parameters (README of
object_detection, mask_rcnn_1x_xxs).

    tools/dist_train.sh configs/det/mask_rcnn_uniformer_xxs.py 8

8 GPUs, 2 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/mask_rcnn_uniformer.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/det_1x.py',
    '../_base_/det_runtime.py',
]

model = dict(
    backbone=dict(
        type='mmuniformer.UniFormerLight',
        arch='xxs',
        attention='global',
        drop_path_rate=0.0,
        init_cfg=dict(
            checkpoint='uniformer_xxs_224_in1k',
        ),
    ),
    neck=dict(in_channels=[56, 112, 224, 448]),
)
# Full precision, in which the light models are trained.
optim_wrapper = dict(type='OptimWrapper')
