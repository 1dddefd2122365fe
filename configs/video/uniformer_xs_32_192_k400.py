"""UniFormer-XS, 32 frames of 192 pixels, Kinetics-400.

Published: 78.6 top-1 with one view, 16.1M parameters, 34.2G FLOPs in all
(README of video_classification, exp_light/uniformer_xs32_192_k400).

    tools/dist_train.sh configs/video/uniformer_xs_32_192_k400.py 8

8 GPUs, 16 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_16_128_k400.py'

model = dict(
    backbone=dict(
        arch='xs',
        drop_path_rate=0.1,
        init_cfg=dict(
            checkpoint='https://huggingface.co/Andy1621/uniformer_light/'
            'resolve/main/uniformer_xs_192_in1k.pth',
        ),
    ),
    cls_head=dict(in_channels=512),
)

__train = _base_.train_dataloader.dataset.pipeline
__train[1].clip_len = 32
__train[3].transforms[0].policy = 'rand-m7-n4-mstd0.5-inc1'
__train[3].transforms[1].size = 192
__val = _base_.val_dataloader.dataset.pipeline
__val[1].clip_len = 32
__val[3].size = 192
__val[4].size = 192

train_dataloader = dict(batch_size=16)
test_dataloader = _base_.val_dataloader
optim_wrapper = dict(optimizer=dict(lr=4e-4, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=128)
randomness = dict(seed=6666)
