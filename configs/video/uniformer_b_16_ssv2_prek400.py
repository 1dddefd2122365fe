"""UniFormer-B, 16 frames, from Kinetics-400, Something-Something V2.

Published: 70.4 top-1 with 3 crops, 50M parameters, 290G FLOPs in all (README
of video_classification, uniformer_b16_sthv2_prek400).

    tools/dist_train.sh configs/video/uniformer_b_16_ssv2_prek400.py 8

8 GPUs, 5 videos each, two clips of a video; other batch sizes: add
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
        arch='b',
        drop_path_rate=0.4,
        init_cfg=dict(checkpoint='checkpoints/uniformer_base_k400_16x4.pth'),
    )
)
train_dataloader = dict(batch_size=5)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
auto_scale_lr = dict(base_batch_size=40)
