"""Pure Python form of configs/cls/uniformer_s.py.

Names are ordinary variables here, imported and changed as in any module.

    tools/train.py configs/pure_python/uniformer_s.py
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.imagenet import *
    from .._base_.default_runtime import *
    from .._base_.models.cls_uniformer import *
    from .._base_.schedules.cls_300e import *

default_scope = 'mmpretrain'
default_hooks['checkpoint'].update(save_best='accuracy/top1', rule='greater')
default_hooks.update(
    ema=dict(
        type='EMAHook',
        ema_type='mmuniformer.TogetherEMA',
        momentum=4e-5,
        update_buffers=True,
    ),
    visualization=dict(type='VisualizationHook', enable=False),
)
env_cfg.update(cudnn_benchmark=True)
randomness.update(diff_rank_seed=True)
visualizer = dict(
    type='UniversalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
