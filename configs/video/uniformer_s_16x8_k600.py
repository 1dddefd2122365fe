"""UniFormer-S, 16 frames, stride 8, Kinetics-600.

Published: 82.7 top-1 with 4 clips, 21M parameters, 167G FLOPs in all (README
of video_classification, uniformer_s16x8_k600).

    tools/dist_train.sh configs/video/uniformer_s_16x8_k600.py 8

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
