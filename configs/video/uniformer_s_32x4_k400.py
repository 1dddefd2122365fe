"""UniFormer-S, 32 frames, stride 4, Kinetics-400.

Published: 82.0 top-1 with 4 clips, 21M parameters, 438G FLOPs in all (README
of video_classification, uniformer_s32x4_k400).

    tools/dist_train.sh configs/video/uniformer_s_32x4_k400.py 8

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
