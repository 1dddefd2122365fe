"""UniFormer-B, 16 frames, stride 4, Kinetics-400.

Published: 82.0 top-1 with 4 clips, 50M parameters, 387G FLOPs in all (README
of video_classification, uniformer_b16x4_k400).

    tools/dist_train.sh configs/video/uniformer_b_16x4_k400.py 8

8 GPUs, 5 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/video_110e.py',
    '../_base_/video_runtime.py',
]

model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.3,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
train_dataloader = dict(batch_size=5)
optim_wrapper = dict(optimizer=dict(lr=1.25e-4))
auto_scale_lr = dict(base_batch_size=40)
