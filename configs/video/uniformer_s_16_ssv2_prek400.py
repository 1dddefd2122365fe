"""UniFormer-S, 16 frames, from Kinetics-400, Something-Something V2.

Published: 67.7 top-1 with 3 crops, 21M parameters, 125G FLOPs in all (README
of video_classification, uniformer_s16_sthv2_prek400).

    tools/dist_train.sh configs/video/uniformer_s_16_ssv2_prek400.py 8

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
model = dict(
    backbone=dict(
        drop_path_rate=0.3,
        # The authors' file; one's own would be
        # work_dirs/uniformer_s_16x4_k400/epoch_110.pth.
        init_cfg=dict(checkpoint='checkpoints/uniformer_small_k400_16x4.pth'),
    )
)
randomness = dict(seed=0)
