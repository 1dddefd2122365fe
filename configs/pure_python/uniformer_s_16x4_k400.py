"""Pure Python form of configs/video/uniformer_s_16x4_k400.py.

Names are ordinary variables here, imported and changed as in any module.

    tools/train.py configs/pure_python/uniformer_s_16x4_k400.py
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.kinetics400 import *
    from .._base_.default_runtime import *
    from .._base_.models.video_uniformer import *
    from .._base_.schedules.video_110e import *

default_scope = 'mmaction'
default_hooks.update(
    visualization=dict(type='mmuniformer.ClipVisualizationHook', enable=False)
)
randomness.update(seed=6666, diff_rank_seed=True)
visualizer = dict(
    type='ActionVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
