# A small classifier of the toy world's eight things, from random weights.
_base_ = 'cls_uniformer.py'

model = dict(
    data_preprocessor=dict(num_classes=8),
    backbone=dict(
        arch=dict(
            _delete_=True,
            depths=(1, 2, 3, 1),
            embed_dims=(32, 64, 128, 192),
            head_dim=32,
            stems=('conv',) * 4,
            mlp_ratio=3,
        ),
        drop_path_rate=0.0,
    ),
    head=dict(num_classes=8, in_channels=192),
    train_cfg=None,
)
