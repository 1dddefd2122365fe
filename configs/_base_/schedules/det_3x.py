# As det_1x.py, for 36 epochs (recipes: object_detection/exp/*_3x_ms_*).
_base_ = 'det_1x.py'

train_cfg = dict(max_epochs=36)
param_scheduler = [
    dict(  # the warm-up of det_1x.py
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
        end=36,
        milestones=[27, 33],
        gamma=0.1,
    ),
]
