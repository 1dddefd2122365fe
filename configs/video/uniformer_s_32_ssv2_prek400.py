"""UniFormer-S, 32 frames, from Kinetics-400, Something-Something V2.

Published: 69.0 top-1 with 3 crops, 21M parameters, 329G FLOPs in all (README
of video_classification, uniformer_s32_sthv2_prek400).

    tools/dist_train.sh configs/video/uniformer_s_32_ssv2_prek400.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/sthv2.py',
    '../_base_/schedules/video_50e.py',
    '../_base_/video_runtime.py',
]

num_classes = 174
frames = 32
model = dict(
    backbone=dict(
        drop_path_rate=0.3,
        init_cfg=dict(checkpoint='checkpoints/uniformer_small_k400_16x4.pth'),
    )
)
randomness = dict(seed=0)
