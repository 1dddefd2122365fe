# AdamW for 210 epochs (recipes: pose_estimation/exp/top_down_*).
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=210, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    # The old framework reaches the full rate at iteration 500, this one at
    # `end - 1`.
    dict(
        type='LinearLR',
        start_factor=0.001,
        by_epoch=False,
        begin=0,
        end=501,
    ),
    dict(
        type='MultiStepLR',
        by_epoch=True,
        begin=0,
        end=210,
        milestones=[170, 200],
        gamma=0.1,
    ),
]

# No rules by name: biases and norms are decayed, as in the recipes.
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(
        type='AdamW', lr=2e-3, betas=(0.9, 0.999), weight_decay=0.01
    ),
)

auto_scale_lr = dict(enable=False, base_batch_size=1024)
