# As video_110e.py, for 50 epochs (recipes: video_classification/exp/
# *_sthv2_*).
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=50)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=50,
        warmup_epochs=5,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
optim_wrapper = dict(optimizer=dict(lr=2e-4))
