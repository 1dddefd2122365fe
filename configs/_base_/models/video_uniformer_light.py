# A light recogniser, with a branch for the class token in training (recipes:
# video_classification/exp_light/*).
_base_ = 'video_uniformer.py'

model = dict(
    backbone=dict(
        type='mmuniformer.UniFormerLight',
        arch='xxs',
        drop_path_rate=0.05,
        with_cls_token=True,
        init_cfg=dict(
            checkpoint='uniformer_xxs_128_in1k',
        ),
    ),
    cls_head=dict(type='mmuniformer.LightVideoHead', in_channels=448),
)
