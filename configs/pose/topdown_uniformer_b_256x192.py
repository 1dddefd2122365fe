"""Top-down heat maps, UniFormer-B, 256x192, COCO 2017 key points.

Published: 75.0 AP on detected boxes, with flip test, 9.2G FLOPs (README of
pose_estimation, top_down_256x192_global_base). 53.5M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_b_256x192.py 8

8 GPUs, 128 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.4,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
