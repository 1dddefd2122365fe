"""Pure Python form of configs/det/mask_rcnn_uniformer_s.py.

Names are ordinary variables here, imported and changed as in any module.

    tools/train.py configs/pure_python/mask_rcnn_uniformer_s.py
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.coco_instance import *
    from .._base_.default_runtime import *
    from .._base_.models.mask_rcnn_uniformer import *
    from .._base_.schedules.det_1x import *

# Recompute all blocks of stage 3 in the backward pass.
model['backbone'].update(drop_path_rate=0.2, with_cp=(0, 0, 8, 0))

default_scope = 'mmdet'
default_hooks.update(visualization=dict(type='DetVisualizationHook'))
visualizer = dict(
    type='DetLocalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
