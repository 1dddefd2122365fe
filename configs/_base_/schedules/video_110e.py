# AdamW for 110 epochs (recipes: video_classification/exp/*_k400, *_k600).
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=110, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=110,
        warmup_epochs=10,
        warmup_lr=1e-6,
        min_lr=1e-6,
        after_warmup=True,
        convert_to_iter_based=True,
    )
]

# Mixed precision in training alone.
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(
        type='AdamW',
        lr=1e-4,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.05,
    ),
    constructor='mmuniformer.MergedGroups',
    # No decay for whatever has one dimension. The class token has three, the
    # layer scales of convolution blocks have five: decayed, as in the recipes.
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
    ),
    clip_grad=dict(max_norm=20),
)

auto_scale_lr = dict(enable=False, base_batch_size=32)  # videos
