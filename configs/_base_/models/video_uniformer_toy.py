# A small recogniser of the toy world's eight motions, from random weights.
_base_ = 'video_uniformer.py'

model = dict(
    data_preprocessor=dict(blending=None),
    backbone=dict(
        arch=dict(
            _delete_=True,
            depths=(1, 1, 2, 1),
            embed_dims=(32, 64, 128, 192),
            head_dim=32,
            stems=('conv', 'patch', 'patch', 'patch'),
            mlp_ratio=3,
        ),
        drop_path_rate=0.0,
        init_cfg=None,
    ),
    cls_head=dict(num_classes=8, in_channels=192),
)
