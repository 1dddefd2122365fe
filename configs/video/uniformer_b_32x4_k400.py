"""UniFormer-B, 32 frames, stride 4, Kinetics-400.

Published: 82.9 top-1 with 4 clips, 50M parameters, 1036G FLOPs in all (README
of video_classification, uniformer_b32x4_k400).

    tools/dist_train.sh configs/video/uniformer_b_32x4_k400.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_b_16x4_k400.py'

for __loader in (
    _base_.train_dataloader,
    _base_.val_dataloader,
    _base_.test_dataloader,
):
    __loader.dataset.pipeline[1].clip_len = 32

train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
auto_scale_lr = dict(base_batch_size=32)
