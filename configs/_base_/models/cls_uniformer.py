# A classifier on the mean of the last map (recipes:
# image_classification/exp/*).
model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        type='mmuniformer.ClsDataPreprocessor',
        num_classes=1000,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(
        type='mmuniformer.UniFormer',
        arch='s',
        out_indices=(3,),  # as a tuple, which mmpretrain expects
        drop_path_rate=0.1,
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=512,
        loss=dict(
            type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'
        ),
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.02, bias=0.0),
    ),
    # Always one of the two. The authors mix with the batch in reverse order,
    # mmpretrain in random order: of a shuffled batch it is the same, but for
    # one picture in a batch, which meets itself.
    train_cfg=dict(
        augments=[
            dict(type='Mixup', alpha=0.8),
            dict(type='CutMix', alpha=1.0),
        ]
    ),
)
