# AdamW for 160,000 iterations of 16 images (recipes: semantic_segmentation/
# exp/upernet_*).
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=160000, val_interval=16000
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# The old framework multiplies the line down to 0 at iteration 160,000 by the
# warm-up: both begin at 0. It reaches the full rate at iteration 1500; here
# the last values are those of `end - 1`.
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,
        by_epoch=False,
        begin=0,
        end=1501,
    ),
    dict(
        type='PolyLR',
        power=1.0,
        eta_min=0.0,
        by_epoch=False,
        begin=0,
        end=160001,
    ),
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01
    ),
    constructor='mmuniformer.MergedGroups',
    # No decay wherever the name contains 'norm'. BatchNorms called 'bn', as
    # in the heads, and all biases are decayed, as in the recipes.
    paramwise_cfg=dict(custom_keys={'norm': dict(decay_mult=0.0)}),
)

auto_scale_lr = dict(enable=False, base_batch_size=16)
