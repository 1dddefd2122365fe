# AdamW for 20 epochs in full precision, for two CPU cores.
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=20, val_interval=20)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=20,
        warmup_epochs=1,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    constructor='mmuniformer.MergedGroups',
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
    ),
    clip_grad=dict(max_norm=20),
)
