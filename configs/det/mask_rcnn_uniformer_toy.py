"""A Mask R-CNN small enough for two CPU cores, on the toy world.

What `make demo` trains, in minutes and from random weights:

    tools/make_toyworld.py
    tools/dist_train.sh configs/det/mask_rcnn_uniformer_toy.py 2
"""

_base_ = [
    '../_base_/models/mask_rcnn_uniformer.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/det_1x.py',
    '../_base_/det_runtime.py',
]

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True,
            depths=(1, 2, 3, 1),
            embed_dims=(32, 64, 128, 192),
            head_dim=32,
            stems=('conv',) * 4,
            mlp_ratio=3,
        ),
        window_size=7,
        drop_path_rate=0.0,
        init_cfg=None,
    ),
    neck=dict(
        in_channels=[32, 64, 128, 192],
        out_channels=64,
        norm_cfg=dict(type='BN'),
    ),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(scales=[4]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64, finest_scale=28),
        bbox_head=dict(in_channels=64, fc_out_channels=256),
        mask_roi_extractor=dict(out_channels=64, finest_scale=28),
        mask_head=dict(
            num_convs=2,
            in_channels=64,
            conv_out_channels=64,
            norm_cfg=dict(type='BN'),
        ),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=200),
        rcnn=dict(sampler=dict(num=64)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=200)),
)

input_size = (224, 168)
train_dataloader = dict(batch_size=4)

train_cfg = dict(max_epochs=2, val_interval=2)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        T_max=2,
        convert_to_iter_based=True,
    ),
]
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(_delete_=True, type='AdamW', lr=2e-3, weight_decay=0.05),
    paramwise_cfg=None,
    clip_grad=dict(max_norm=10),
)
default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
