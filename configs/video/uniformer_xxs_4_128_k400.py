"""UniFormer-XXS, 4 frames of 128 pixels, Kinetics-400.

Published: 63.2 top-1 with one view, 9.8M parameters, 1.0G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs4_128_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_4_128_k400.py 8

8 GPUs, 32 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_8_128_k400.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1].clip_len = 4
__val = _base_.val_dataloader.dataset.pipeline
__val[1].clip_len = 4

train_dataloader = dict(batch_size=32)
test_dataloader = _base_.val_dataloader
randomness = dict(seed=66667)
