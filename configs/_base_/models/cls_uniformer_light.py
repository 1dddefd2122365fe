# A light classifier, with a branch for the class token in training (recipes:
# image_classification/exp_light/*).
_base_ = 'cls_uniformer.py'

model = dict(
    backbone=dict(
        type='mmuniformer.UniFormerLight',
        arch='xxs',
        drop_path_rate=0.0,
        with_cls_token=True,
    ),
    neck=None,
    head=dict(type='mmuniformer.LightClsHead', in_channels=448),
)
