# Kinetics-600, as kinetics400.py (recipes: video_classification/exp/*_k600).
_base_ = 'kinetics400.py'

for __loader in (
    _base_.train_dataloader,
    _base_.val_dataloader,
    _base_.test_dataloader,
):
    __loader.dataset.update(data_root='data/kinetics600', labels='k600')
