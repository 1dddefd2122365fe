"""mask_rcnn_uniformer_s.py with lower rates towards the input.

Not a recipe of the authors; the factor is one that others use for such models.

    tools/train.py configs/det/mask_rcnn_uniformer_s_layer_decay.py
The rates of its layers: tools/analysis/layer_rates.py and this file.
"""

_base_ = [
    '../_base_/models/mask_rcnn_uniformer.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/det_1x.py',
    '../_base_/det_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.2, with_cp=(0, 0, 8, 0)))
optim_wrapper = dict(
    constructor='mmuniformer.LayerDecay',
    paramwise_cfg=dict(layer_decay_rate=0.85),
)
