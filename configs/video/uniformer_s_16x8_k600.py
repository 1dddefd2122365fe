"""UniFormer-S, 16 frames, stride 8, Kinetics-600.

Published: 82.7 top-1 with 4 clips, 21M parameters, 167G FLOPs in all (README
of video_classification, uniformer_s16x8_k600).

    tools/dist_train.sh configs/video/uniformer_s_16x8_k600.py 8

8 GPUs, 4 videos each, two clips of a video; other batch sizes: add
--auto-scale-lr.
"""

_base_ = 'uniformer_s_16x4_k600.py'

for __loader in (
    _base_.train_dataloader,
    _base_.val_dataloader,
    _base_.test_dataloader,
):
    __loader.dataset.pipeline[1].frame_interval = 8

train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
auto_scale_lr = dict(base_batch_size=32)
