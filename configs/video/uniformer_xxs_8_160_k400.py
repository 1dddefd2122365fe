"""UniFormer-XXS, 8 frames of 160 pixels, Kinetics-400.

Published: 71.4 top-1 with one view, 9.8M parameters, 3.3G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs8_160_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_8_160_k400.py 4

4 GPUs, 64 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer_light.py',
    '../_base_/datasets/kinetics400_light.py',
    '../_base_/schedules/video_light_110e.py',
    '../_base_/video_runtime.py',
]

frames = 8
input_size = 160
policy = 'rand-m5-n2-mstd0.25'
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='uniformer_xxs_160_in1k',
        ),
    )
)
train_dataloader = dict(batch_size=64)
default_hooks = dict(checkpoint=dict(save_best='acc/top1', rule='greater'))
randomness = dict(seed=66666)
