"""Pure Python form of configs/pose/topdown_uniformer_s_256x192.py.

Names are ordinary variables here, imported and changed as in any module.

    tools/train.py configs/pure_python/topdown_uniformer_s_256x192.py
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.coco_keypoints import *
    from .._base_.default_runtime import *
    from .._base_.models.topdown_uniformer import *
    from .._base_.schedules.pose_210e import *

model['backbone'].update(drop_path_rate=0.2)

default_scope = 'mmpose'
default_hooks['checkpoint'].update(
    interval=5, save_best='coco/AP', rule='greater'
)
default_hooks.update(
    visualization=dict(
        type='mmuniformer.PeopleVisualizationHook', enable=False
    )
)
visualizer = dict(
    type='PoseLocalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
