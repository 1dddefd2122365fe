"""Top-down heat maps, UniFormer-B, 384x288, COCO 2017 key points.

Published: 76.7 AP on detected boxes, with flip test, 14.8G FLOPs (README of
pose_estimation, top_down_384x288_global_base; the FLOPs are those of the row
above it there, 22.1G are measured). 53.5M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_b_384x288.py 8

8 GPUs, 32 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

codec = dict(input_size=(288, 384), heatmap_size=(72, 96), sigma=3)
model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.5,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
auto_scale_lr = dict(base_batch_size=256)
