"""UniFormer-B, 32 frames, from Kinetics-400, Something-Something V1.

Published: 60.9 top-1 with 3 crops, 50M parameters, 777G FLOPs in all (README
of video_classification, uniformer_b32_sthv1_prek400).

    tools/dist_train.sh configs/video/uniformer_b_32_ssv1_prek400.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/sthv1.py',
    '../_base_/schedules/video_60e.py',
    '../_base_/video_runtime.py',
]

num_classes = 174
frames = 32
model = dict(
    backbone=dict(
        arch='b',
        drop_path_rate=0.6,
        init_cfg=dict(checkpoint='checkpoints/uniformer_base_k400_16x4.pth'),
    )
)
