# The runtime of key point detection, by mmpose.
_base_ = 'default_runtime.py'

default_scope = 'mmpose'
default_hooks = dict(
    checkpoint=dict(interval=5, save_best='coco/AP', rule='greater'),
    visualization=dict(
        type='mmuniformer.PeopleVisualizationHook', enable=False
    ),
)
visualizer = dict(
    type='PoseLocalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
