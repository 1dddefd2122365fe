"""fpn_uniformer_s.py with lower rates towards the input.

Not a recipe of the authors; the factor is one that others use for such models.

    tools/train.py configs/seg/fpn_uniformer_s_layer_decay.py
The rates of its layers: tools/analysis/layer_rates.py and this file.
"""

_base_ = [
    '../_base_/models/fpn_uniformer.py',
    '../_base_/datasets/ade20k_fpn.py',
    '../_base_/schedules/seg_fpn_80k.py',
    '../_base_/seg_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.1))
optim_wrapper = dict(
    constructor='mmuniformer.LayerDecay',
    paramwise_cfg=dict(layer_decay_rate=0.85),
)
