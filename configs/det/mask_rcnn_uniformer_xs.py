"""Mask R-CNN, UniFormer-XS, 1x schedule, COCO 2017.

Published: 44.6 box AP, 40.9 mask AP, 35.6M parameters (README of
object_detection, mask_rcnn_1x_xs).

    tools/dist_train.sh configs/det/mask_rcnn_uniformer_xs.py 8

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
        arch='xs',
        attention='global',
        drop_path_rate=0.15,
        init_cfg=dict(
            checkpoint='uniformer_xs_224_in1k',
        ),
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
# Full precision, in which the light models are trained.
optim_wrapper = dict(type='OptimWrapper')
