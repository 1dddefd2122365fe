# Kinetics-600, as kinetics400.py (recipes: video_classification/exp/*_k600).
_base_ = 'kinetics400.py'

train_dataloader = dict(
    dataset=dict(data_root='data/kinetics600', labels='k600')
)
val_dataloader = train_dataloader
test_dataloader = train_dataloader
