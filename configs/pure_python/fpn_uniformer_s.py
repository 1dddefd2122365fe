"""Pure Python form of configs/seg/fpn_uniformer_s.py.

Names are ordinary variables here, imported and changed as in any module.

    tools/train.py configs/pure_python/fpn_uniformer_s.py
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.ade20k import *
    from .._base_.default_runtime import *
    from .._base_.models.fpn_uniformer import *
    from .._base_.schedules.seg_fpn_80k import *

model['backbone'].update(drop_path_rate=0.1)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(2048, 512), keep_ratio=True),
    dict(type='ResizeToMultiple', size_divisor=32),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader.update(batch_size=4)
val_dataloader['dataset'].update(pipeline=test_pipeline)
test_dataloader = val_dataloader

default_scope = 'mmseg'
default_hooks['logger'].update(log_metric_by_epoch=False)
default_hooks['checkpoint'].update(by_epoch=False, interval=4000)
default_hooks.update(
    visualization=dict(type='SegVisualizationHook'),
    label_check=dict(type='mmuniformer.LabelCheckHook'),
)
visualizer = dict(
    type='mmuniformer.SegVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)
