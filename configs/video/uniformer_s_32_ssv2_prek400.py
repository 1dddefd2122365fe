"""UniFormer-S, 32 frames, from Kinetics-400, Something-Something V2.

Published: 69.0 top-1 with 3 crops, 21M parameters, 329G FLOPs in all (README
of video_classification, uniformer_s32_sthv2_prek400).

    tools/dist_train.sh configs/video/uniformer_s_32_ssv2_prek400.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_s_16_ssv2_prek400.py'

for __loader in (
    _base_.train_dataloader,
    _base_.val_dataloader,
    _base_.test_dataloader,
):
    __loader.dataset.pipeline[0].clip_len = 32
