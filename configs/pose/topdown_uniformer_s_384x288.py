"""Top-down heat maps, UniFormer-S, 384x288, COCO 2017 key points.

Published: 75.9 AP on detected boxes, with flip test, 11.1G FLOPs (README of
pose_estimation, top_down_384x288_global_small). 25.2M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_s_384x288.py 8

8 GPUs, 128 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

codec = dict(input_size=(288, 384), heatmap_size=(72, 96), sigma=3)
model = dict(backbone=dict(drop_path_rate=0.2))
