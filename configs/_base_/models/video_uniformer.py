# A recogniser on the mean of the last map (recipes:
# video_classification/exp/*).
model = dict(
    type='Recognizer3D',
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[114.75, 114.75, 114.75],
        std=[57.375, 57.375, 57.375],
        format_shape='NCTHW',
        # Always one of the two, for a whole batch.
        blending=dict(
            type='mmuniformer.ClipMix',
            num_classes=400,
            mixup=0.8,
            cutmix=1.0,
        ),
    ),
    backbone=dict(
        type='mmuniformer.UniFormer',
        arch='s',
        ndim=3,
        drop_path_rate=0.1,
        # An image file, inflated by the authors' rule.
        init_cfg=dict(
            type='Pretrained',
            checkpoint='uniformer_small_in1k',
        ),
    ),
    cls_head=dict(
        type='I3DHead',
        num_classes=400,
        in_channels=512,
        dropout_ratio=0.0,  # the recipes' 0.5 has no effect
        init_std=0.02,
        label_smooth_eps=0.1,
        # The mean of the logits of all views; the authors take their sum.
        average_clips='score',
    ),
)
