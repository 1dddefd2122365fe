"""UniFormer-B, 8 frames, stride 8, Kinetics-400.

Published: 79.8 top-1 with 4 clips, 50M parameters, 161G FLOPs in all (README
of video_classification, uniformer_b8x8_k400).

    tools/dist_train.sh configs/video/uniformer_b_8x8_k400.py 8

8 GPUs, 8 videos each, two clips of a video; other batch sizes: add
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
model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.3,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
train_dataloader = dict(batch_size=8)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
auto_scale_lr = dict(base_batch_size=64)
