# AdamW for 14 epochs in full precision, for two CPU cores.
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=14, val_interval=14)
_base_.param_scheduler[0].update(epochs=14, warmup_epochs=1)
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
default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
