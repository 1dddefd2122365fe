"""UniFormer-S from ImageNet weights, lower rates towards the input.

Not a recipe of the authors; the factor is one that others use for such models.

    tools/train.py configs/cls/uniformer_s_layer_decay.py
The rates of its layers: tools/analysis/layer_rates.py and this file.
"""

_base_ = [
    '../_base_/models/cls_uniformer.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/cls_300e.py',
    '../_base_/cls_runtime.py',
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='uniformer_small_in1k',
        ),
    )
)
epochs = 30
optim_wrapper = dict(
    constructor='mmuniformer.LayerDecay',
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(layer_decay_rate=0.75),
)
default_hooks = dict(ema=None)  # too few iterations for an average
