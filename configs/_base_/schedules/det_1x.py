# AdamW for 12 epochs, 16 images per step (recipes: object_detection/exp/
# *_1x_*).
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=1)
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
        end=12,
        milestones=[8, 11],
        gamma=0.1,
    ),
]

optim_wrapper = dict(
    type='AmpOptimWrapper',  # fp16; Apex O1 in the recipes
    optimizer=dict(
        type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05
    ),
    constructor='mmuniformer.MergedGroups',
    # No decay wherever the name contains 'norm'. BatchNorms called 'bn' and
    # all biases are decayed, as in the recipes.
    paramwise_cfg=dict(custom_keys={'norm': dict(decay_mult=0.0)}),
)

auto_scale_lr = dict(enable=False, base_batch_size=16)
