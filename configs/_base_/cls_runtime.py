# The runtime of image classification, by mmpretrain.
_base_ = 'default_runtime.py'

default_scope = 'mmpretrain'
default_hooks = dict(
    checkpoint=dict(save_best='accuracy/top1', rule='greater'),
    # The averaged weights, buffers included. They are evaluated and saved as
    # the model; the raw ones are in the same file. `ema=None` for none.
    ema=dict(
        type='EMAHook',
        ema_type='mmuniformer.TogetherEMA',
        momentum=4e-5,
        update_buffers=True,
    ),
    visualization=dict(type='VisualizationHook', enable=False),
)
visualizer = dict(
    type='UniversalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
# Sizes do not change, and cuDNN may look for its fastest kernels, as it did
# for the authors.
env_cfg = dict(cudnn_benchmark=True)
# Otherwise all processes would mix their batches by the same draws.
randomness = dict(diff_rank_seed=True)
