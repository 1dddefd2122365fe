"""UniFormer-B, 16 frames, stride 8, Kinetics-600.

Published: 83.4 top-1 with 4 clips, 50M parameters, 387G FLOPs in all (README
of video_classification, uniformer_b16x8_k600).

The learning rate is the published one, that of the recipes with 40 videos in
place of 32.

    tools/dist_train.sh configs/video/uniformer_b_16x8_k600.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/kinetics600.py',
    '../_base_/schedules/video_110e.py',
    '../_base_/video_runtime.py',
]

num_classes = 600
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
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=1.25e-4))
auto_scale_lr = dict(base_batch_size=32)
