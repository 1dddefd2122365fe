# The runtime of video classification, by mmaction2.
_base_ = 'default_runtime.py'

default_scope = 'mmaction'
default_hooks = dict(
    visualization=dict(type='mmuniformer.ClipVisualizationHook', enable=False),
)
visualizer = dict(
    type='ActionVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
# Otherwise all processes would mix their batches by the same draws.
randomness = dict(seed=6666, diff_rank_seed=True)
