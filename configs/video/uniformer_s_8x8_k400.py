"""UniFormer-S, 8 frames, stride 8, Kinetics-400.

Published: 78.4 top-1 with 4 clips, 21M parameters, 70G FLOPs in all (README of
video_classification, uniformer_s8x8_k400).

    tools/dist_train.sh configs/video/uniformer_s_8x8_k400.py 8

8 GPUs, 16 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/video_100e.py',
    '../_base_/video_runtime.py',
]

frames = 8
frame_interval = 8
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
auto_scale_lr = dict(base_batch_size=128)
