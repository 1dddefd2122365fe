"""Top-down heat maps, UniFormer-B, 448x320, COCO 2017 key points.

Published: 77.4 AP on detected boxes, with flip test, 29.6G FLOPs (README of
pose_estimation, top_down_448x320_global_base). 53.5M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_b_448x320.py 8

8 GPUs, 32 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

codec = dict(input_size=(320, 448), heatmap_size=(80, 112), sigma=3)
model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.55,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
auto_scale_lr = dict(base_batch_size=256)
default_hooks = dict(checkpoint=dict(interval=10))
