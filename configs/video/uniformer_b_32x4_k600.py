"""UniFormer-B, 32 frames, stride 4, Kinetics-600.

Published: 84.5 top-1 with 4 clips, 50M parameters, 1036G FLOPs in all (README
of video_classification, uniformer_b32x4_k600).

The paper has 84.8 for it.

    NNODES=4 tools/dist_train.sh configs/video/uniformer_b_32x4_k600.py 8

On each of 4 nodes, with NODE_RANK and MASTER_ADDR; 8 GPUs, 4 videos each, two
clips of a video; other batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/kinetics600.py',
    '../_base_/schedules/video_110e.py',
    '../_base_/video_runtime.py',
]

num_classes = 600
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
optim_wrapper = dict(optimizer=dict(lr=4e-4))
auto_scale_lr = dict(base_batch_size=128)
# All rates are four times those of one node.
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=110,
        warmup_epochs=10,
        warmup_lr=4e-6,
        min_lr=4e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
