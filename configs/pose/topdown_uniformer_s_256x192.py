"""Top-down heat maps, UniFormer-S, 256x192, COCO 2017 key points.

Published: 74.0 AP on detected boxes, with flip test, 4.7G FLOPs (README of
pose_estimation, top_down_256x192_global_small). 25.2M parameters.

    tools/dist_train.sh configs/pose/topdown_uniformer_s_256x192.py 8

8 GPUs, 128 people each; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/pose_runtime.py',
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
]

# Not a field of the config: it goes into three places.
__codec = dict(
    type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2
)
__crop = dict(type='TopdownAffine', input_size=__codec['input_size'])

model = dict(
    backbone=dict(
        drop_path_rate=0.2,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://huggingface.co/Sense-X/uniformer_image/'
            'resolve/main/uniformer_small_in1k.pth',
        ),
    ),
    head=dict(decoder=__codec),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_dataloader.dataset.pipeline,
            __crop,
            dict(type='GenerateTarget', encoder=__codec),
            dict(type='PackPoseInputs'),
        ]
    )
)
val_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.val_dataloader.dataset.pipeline,
            __crop,
            dict(type='PackPoseInputs'),
        ]
    )
)
test_dataloader = val_dataloader
