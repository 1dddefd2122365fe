"""topdown_uniformer_s_256x192.py with lower rates towards the input.

Not a recipe of the authors; the factor is one that others use for such models.

    tools/train.py configs/pose/topdown_uniformer_s_256x192_layer_decay.py
The rates of its layers: tools/analysis/layer_rates.py and this file.
"""

_base_ = [
    '../_base_/models/topdown_uniformer.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/pose_210e.py',
    '../_base_/pose_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.2))
optim_wrapper = dict(
    constructor='mmuniformer.LayerDecay',
    paramwise_cfg=dict(layer_decay_rate=0.85),
)
