"""UniFormer-XXS, 32 frames of 160 pixels, Kinetics-400.

Published: 77.9 top-1 with one view, 9.8M parameters, 15.4G FLOPs in all
(README of video_classification, exp_light/uniformer_xxs32_160_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_32_160_k400.py 8

8 GPUs, 32 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer_light.py',
    '../_base_/datasets/kinetics400_light.py',
    '../_base_/schedules/video_light_110e.py',
    '../_base_/video_runtime.py',
]

frames = 32
input_size = 160
policy = 'rand-m5-n2-mstd0.25'
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='uniformer_xxs_160_in1k',
        ),
    )
)
optim_wrapper = dict(optimizer=dict(lr=8e-4))
default_hooks = dict(checkpoint=dict(save_best='acc/top1', rule='greater'))
randomness = dict(seed=6666)
