"""UniFormer-B, 32 frames, stride 4, Kinetics-400.

Published: 82.9 top-1 with 4 clips, 50M parameters, 1036G FLOPs in all (README
of video_classification, uniformer_b32x4_k400).

    tools/dist_train.sh configs/video/uniformer_b_32x4_k400.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/video_110e.py',
    '../_base_/video_runtime.py',
]

frames = 32
model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.3,
        init_cfg=dict(
            checkpoint='uniformer_base_in1k',
        ),
    )
)
