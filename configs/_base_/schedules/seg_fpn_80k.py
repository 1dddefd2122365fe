# AdamW for 80,000 iterations of 32 images (recipes: semantic_segmentation/
# fpn_seg/exp/*).
train_cfg = dict(type='IterBasedTrainLoop', max_iters=80000, val_interval=4000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# The old framework multiplies the cosine of the iteration by the warm-up:
# both begin at 0. It reaches the full rate at iteration 1000, this one at
# `end - 1`.
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=False,
        begin=0,
        end=1001,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=80000,
        eta_min_ratio=1e-8,
        by_epoch=False,
        begin=0,
        end=80000,
    ),
]

# No rules by name: biases and norms are decayed, as in the recipes.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=2e-4, betas=(0.9, 0.999), weight_decay=1e-4
    ),
)

auto_scale_lr = dict(enable=False, base_batch_size=32)
