# The runtime of segmentation, by mmseg: everything counts in iterations.
_base_ = 'default_runtime.py'

default_scope = 'mmseg'
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=4000),
    visualization=dict(type='SegVisualizationHook'),
    label_check=dict(type='mmuniformer.LabelCheckHook'),
)
visualizer = dict(
    type='mmuniformer.SegVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)
