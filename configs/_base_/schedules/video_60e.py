# As video_110e.py, for 60 epochs (recipes: video_classification/exp/
# *_sthv1_*).
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=60)
_base_.param_scheduler[0].update(epochs=60, warmup_epochs=5)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
