"""UniFormer-XXS, 4 frames of 160 pixels, Kinetics-400.

Published: 65.8 top-1 with one view, 9.8M parameters, 1.6G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs4_160_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_4_160_k400.py 4

4 GPUs, 64 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_16_160_k400.py'

model = dict(
    backbone=dict(
        layer_scale_init_value=0.1,
        init_cfg=dict(
            allow_partial='gamma_[12]',  # the file has no layer scales
        ),
    ),
)

__train = _base_.train_dataloader.dataset.pipeline
__train[1].clip_len = 4
__train[3].transforms[0].policy = 'rand'
__val = _base_.val_dataloader.dataset.pipeline
__val[1].clip_len = 4

train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
test_dataloader = _base_.val_dataloader
randomness = dict(seed=6666)
