# As video_110e.py, for 100 epochs (recipes: video_classification/exp/*8x8*).
_base_ = 'video_110e.py'

train_cfg = dict(max_epochs=100)
_base_.param_scheduler[0].epochs = 100
