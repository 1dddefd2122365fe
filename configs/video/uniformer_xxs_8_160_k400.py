"""UniFormer-XXS, 8 frames of 160 pixels, Kinetics-400.

Published: 71.4 top-1 with one view, 9.8M parameters, 3.3G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs8_160_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_8_160_k400.py 4

4 GPUs, 64 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_16_160_k400.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1].clip_len = 8
__val = _base_.val_dataloader.dataset.pipeline
__val[1].clip_len = 8

train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
test_dataloader = _base_.val_dataloader
