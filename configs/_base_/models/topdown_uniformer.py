# Simple baseline on a dense UniFormer whose third stage is global (recipes:
# pose_estimation/exp/top_down_*).
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='mmuniformer.UniFormer',
        arch='s',
        attention='global',
        dense=True,
        out_indices=(3,),  # without norms that have no gradient
        init_cfg=dict(
            type='Pretrained',
            checkpoint='uniformer_small_in1k',
        ),
    ),
    head=dict(
        type='HeatmapHead',  # with plain BatchNorm, as in the recipes
        in_channels=512,
        out_channels=17,
        deconv_out_channels=(256, 256, 256),
        deconv_kernel_sizes=(4, 4, 4),
        decoder=dict(
            type='MSRAHeatmap',
            input_size=(192, 256),
            heatmap_size=(48, 64),
            sigma=2,
        ),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)
