# Kinetics-400 for the light models: frames spread over the whole video
# (recipes: video_classification/exp_light/*). The sampler of these recipes is
# missing from the authors' repository; this is the one of that name in their
# later work, UniFormerV2, which we take to be the same.
_base_ = 'kinetics400.py'

train_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(type='UniformSample', clip_len=16),
    dict(type='DecordDecode'),
    _base_.train_augment,
]
# One view, in the published test, too.
val_pipeline = test_pipeline = [
    dict(type='mmuniformer.DecordInit'),
    dict(type='UniformSample', clip_len=16, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='mmuniformer.ClipResize', size=224),
    dict(type='mmuniformer.ClipCrop', size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(  # 8 GPUs
    batch_size=32, dataset=dict(pipeline=train_pipeline)
)
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
