# As video_60e.py, for 50 epochs (recipes: video_classification/exp/
# *_sthv2_*).
_base_ = 'video_60e.py'

train_cfg = dict(max_epochs=50)
_base_.param_scheduler[0].epochs = 50
