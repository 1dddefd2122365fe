# Kinetics-400 for the light models: 16 frames spread over the whole video, at
# 128 pixels (recipes: video_classification/exp_light/*). The sampler of these
# recipes is missing from the authors' repository; this is the one of that name
# in their later work, UniFormerV2, which we take to be the same.
_base_ = 'kinetics400.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1] = dict(type='UniformSample', clip_len=16)
__train[3].transforms[0].policy = 'rand-m5-n2-mstd0.25'
__train[3].transforms[1].size = 128
__val = _base_.val_dataloader.dataset.pipeline
__val[1] = dict(type='UniformSample', clip_len=16, test_mode=True)
__val[3].size = 128
__val[4].size = 128

train_dataloader = dict(batch_size=32)  # 8 GPUs
# One view in the published test, too.
test_dataloader = _base_.val_dataloader
