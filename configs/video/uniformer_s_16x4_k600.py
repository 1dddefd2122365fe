"""UniFormer-S, 16 frames, stride 4, Kinetics-600.

Published: 82.8 top-1 with 4 clips, 21M parameters, 167G FLOPs in all (README
of video_classification, uniformer_s16x4_k600).

    tools/dist_train.sh configs/video/uniformer_s_16x4_k600.py 8

8 GPUs, 12 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/kinetics600.py',
    '../_base_/schedules/video_110e.py',
    '../_base_/video_runtime.py',
]

num_classes = 600
train_dataloader = dict(batch_size=12)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
auto_scale_lr = dict(base_batch_size=96)
