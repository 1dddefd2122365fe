"""uniformer_s_16x4_ucf101.py with lower rates towards the input.

Not a recipe of the authors; the factor is one that others use for such models.

    tools/train.py configs/video/uniformer_s_16x4_ucf101_layer_decay.py
The rates of its layers: tools/analysis/layer_rates.py and this file.
"""

_base_ = [
    '../_base_/models/video_uniformer.py',
    '../_base_/datasets/ucf101.py',
    '../_base_/schedules/video_25e.py',
    '../_base_/video_runtime.py',
]

num_classes = 101
policy = 'rand-m5-n2-mstd0.25'
model = dict(
    backbone=dict(
        drop_path_rate=0.2,
        init_cfg=dict(checkpoint='checkpoints/uniformer_small_k400_16x4.pth'),
    )
)
optim_wrapper = dict(
    constructor='mmuniformer.LayerDecay',
    paramwise_cfg=dict(layer_decay_rate=0.75),
)
