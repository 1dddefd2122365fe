# COCO 2017 key points, one person per sample, at 256x192 (recipes:
# pose_estimation/exp/top_down_*). A leaf of another size says it once, by
# `codec = dict(input_size=..., heatmap_size=..., sigma=...)`.
#
# Training draws as mmpose 0.16, the framework of the recipes, not as 1.x,
# which moves boxes by a truncated normal distribution in proportion to the
# padded box, and truncates scale and rotation where 0.16 clips them.

# By these two mmpose's inferencers know that boxes come first, and whose.
data_mode = 'topdown'
dataset_type = 'CocoDataset'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='mmuniformer.RandomCenterShift', factor=0.2, prob=0.3),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandomHalfBody',
        min_total_keypoints=9,
        padding=1.5,
        prob=0.3,
        # A draw from the normal distribution is below 0.5.
        upper_prioritized_prob=0.6915,
    ),
    dict(
        type='mmuniformer.RandomScaleRotation',
        scale_factor=0.5,
        rotate_factor=40,
        rotate_prob=0.6,
    ),
    dict(type='mmuniformer.TopdownAffine', input_size=(192, 256)),
    dict(
        type='GenerateTarget',
        encoder=dict(
            type='MSRAHeatmap',
            input_size=(192, 256),
            heatmap_size=(48, 64),
            sigma=2,
        ),
    ),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(192, 256)),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=128,  # per GPU; the recipes use 8 GPUs
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CocoDataset',
        data_root='data/coco/',
        data_mode='topdown',
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='CocoDataset',
        data_root='data/coco/',
        data_mode='topdown',
        ann_file='annotations/person_keypoints_val2017.json',
        # The boxes of a detector with 56.4 AP on people, all of them.
        bbox_file='data/coco/person_detection_results/'
        'COCO_val2017_detections_AP_H_56_person.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='CocoMetric',
    ann_file='data/coco/annotations/person_keypoints_val2017.json',
    score_mode='bbox_keypoint',
    keypoint_score_thr=0.2,
    nms_mode='oks_nms',
    nms_thr=0.9,
)
test_evaluator = val_evaluator
