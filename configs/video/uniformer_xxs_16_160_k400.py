"""UniFormer-XXS, 16 frames of 160 pixels, Kinetics-400.

Published: 75.1 top-1 with one view, 9.8M parameters, 6.9G FLOPs in all (README
of video_classification, exp_light/uniformer_xxs16_160_k400).

    tools/dist_train.sh configs/video/uniformer_xxs_16_160_k400.py 8

8 GPUs, 32 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_xxs_16_128_k400.py'

model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='https://huggingface.co/Andy1621/uniformer_light/'
            'resolve/main/uniformer_xxs_160_in1k.pth',
        ),
    ),
)

__train = _base_.train_dataloader.dataset.pipeline
__train[3].transforms[1].size = 160
__val = _base_.val_dataloader.dataset.pipeline
__val[3].size = 160
__val[4].size = 160
test_dataloader = _base_.val_dataloader
