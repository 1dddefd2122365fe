# As video_110e.py, for 25 epochs of 128 videos (recipes:
# video_classification/exp/*_ucf101_*, *_hmdb51_*). The recipes keep the last
# checkpoint alone; the one of each epoch is for going on.
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=25, val_interval=1)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=25,
        warmup_epochs=5,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
optim_wrapper = dict(optimizer=dict(lr=5e-5))
auto_scale_lr = dict(base_batch_size=128)
