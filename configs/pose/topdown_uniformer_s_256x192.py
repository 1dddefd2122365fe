"""Top-down heat maps, UniFormer-S, 256x192, COCO 2017 key points.

Published: 74.0 AP on detected boxes, with flip test, 4.7G FLOPs (README of
pose_estimation, top_down_256x192_global_small). 25.2M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_s_256x192.py 8

8 GPUs, 128 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.2))
