"""Top-down heat maps, UniFormer-S, 448x320, COCO 2017 key points.

Published: 76.2 AP on detected boxes, with flip test, 14.8G FLOPs (README of
pose_estimation, top_down_448x320_global_small). 25.2M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_s_448x320.py 8

8 GPUs, 64 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

codec = dict(input_size=(320, 448), heatmap_size=(80, 112), sigma=3)
model = dict(backbone=dict(drop_path_rate=0.2))
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=512)
