"""UniFormer-S, 16 frames, stride 4, UCF101 split 1.

Published: 98.3 top-1 with 5 clips of 3 crops, 21M parameters, 625G FLOPs in
all (README of video_classification, uniformer_s16x4_ucf101_prek400).

    tools/dist_train.sh configs/video/uniformer_s_16x4_ucf101.py 8

8 GPUs, 16 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/schedules/video_25e.py',
    '../_base_/video_runtime.py',
]

num_classes = 101
policy = 'rand-m5-n2-mstd0.25'
model = dict(
    backbone=dict(
        drop_path_rate=0.2,
        # The authors' file; one's own would be
        # work_dirs/uniformer_s_16x4_k400/epoch_110.pth.
        init_cfg=dict(checkpoint='checkpoints/uniformer_small_k400_16x4.pth'),
    )
)
