"""UniFormer-XXS, 4 frames of 128 pixels, Kinetics-400.

Published: 63.2 top-1 with one view, 9.8M parameters, 1.0G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs4_128_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_4_128_k400.py 8

8 GPUs, 32 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer_light.py',
    '../_base_/datasets/kinetics400_light.py',
    '../_base_/schedules/video_light_110e.py',
    '../_base_/video_runtime.py',
]

frames = 4
input_size = 128
policy = 'rand'
model = dict(
    backbone=dict(
        layer_scale_init_value=0.1,
        init_cfg=dict(
            allow_partial='gamma_[12]',  # the file has no layer scales
        ),
    )
)
default_hooks = dict(checkpoint=dict(save_best='acc/top1', rule='greater'))
randomness = dict(seed=66667)
