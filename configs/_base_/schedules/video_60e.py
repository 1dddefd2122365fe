# As video_110e.py, for 60 epochs (recipes: video_classification/exp/
# *_sthv1_*).
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=60)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=60,
        warmup_epochs=5,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
optim_wrapper = dict(optimizer=dict(lr=2e-4))
