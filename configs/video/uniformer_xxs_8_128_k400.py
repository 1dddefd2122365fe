"""UniFormer-XXS, 8 frames of 128 pixels, Kinetics-400.

Published: 68.3 top-1 with one view, 9.8M parameters, 2.0G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs8_128_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_8_128_k400.py 4

4 GPUs, 64 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_16_128_k400.py'

model = dict(
    backbone=dict(
        layer_scale_init_value=0.1,
        init_cfg=dict(
            allow_partial='gamma_[12]',  # the file has no layer scales
        ),
    ),
)

__train = _base_.train_dataloader.dataset.pipeline
__train[1].clip_len = 8
__train[3].transforms[0].policy = 'rand'
__val = _base_.val_dataloader.dataset.pipeline
__val[1].clip_len = 8

train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
test_dataloader = _base_.val_dataloader
