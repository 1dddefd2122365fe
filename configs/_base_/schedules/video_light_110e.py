# As video_110e.py, for the light models and 256 videos (recipes:
# video_classification/exp_light/*).
_base_ = 'video_110e.py'

train_cfg = dict(val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=4e-4, weight_decay=0.1))
auto_scale_lr = dict(base_batch_size=256)
