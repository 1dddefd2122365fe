# As video_110e.py, for 100 epochs (recipes: video_classification/exp/*8x8*).
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=100,
        warmup_epochs=10,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
