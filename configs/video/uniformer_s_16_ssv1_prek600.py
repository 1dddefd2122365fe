"""UniFormer-S, 16 frames, from Kinetics-600, Something-Something V1.

Published: 57.6 top-1 with 3 crops, 21M parameters, 125G FLOPs in all (README
of video_classification, uniformer_s16_sthv1_prek600).

    tools/dist_train.sh configs/video/uniformer_s_16_ssv1_prek600.py 8

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
model = dict(
    backbone=dict(
        drop_path_rate=0.2,
        init_cfg=dict(checkpoint='checkpoints/uniformer_small_k600_16x4.pth'),
    )
)
randomness = dict(seed=0)
