"""UniFormer-XXS, 32 frames of 160 pixels, Kinetics-400.

Published: 77.9 top-1 with one view, 9.8M parameters, 15.4G FLOPs in all
(README of video_classification, exp_light/uniformer_xxs32_160_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_32_160_k400.py 8

8 GPUs, 32 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_16_160_k400.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1].clip_len = 32
__val = _base_.val_dataloader.dataset.pipeline
__val[1].clip_len = 32
test_dataloader = _base_.val_dataloader
randomness = dict(seed=6666)
