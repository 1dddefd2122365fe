"""UniFormer-XS, 32 frames of 192 pixels, Kinetics-400.

Published: 78.6 top-1 with one view, 16.1M parameters, 34.2G FLOPs in all
(README of video_classification, exp_light/uniformer_xs32_192_k400).

    tools/dist_train.sh configs/video/uniformer_xs_32_192_k400.py 8

8 GPUs, 16 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer_light.py',
    '../_base_/datasets/kinetics400_light.py',
    '../_base_/schedules/video_light_110e.py',
    '../_base_/video_runtime.py',
]

frames = 32
input_size = 192
policy = 'rand-m7-n4-mstd0.5-inc1'
model = dict(
    backbone=dict(
        arch='xs',
        drop_path_rate=0.1,
        init_cfg=dict(
            checkpoint='uniformer_xs_192_in1k',
        ),
    ),
    cls_head=dict(in_channels=512),
)
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=128)
default_hooks = dict(checkpoint=dict(save_best='acc/top1', rule='greater'))
