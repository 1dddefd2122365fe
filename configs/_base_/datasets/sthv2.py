# Something-Something V2, frames extracted at 30 per second, as sthv1.py
# (recipes: video_classification/exp/*_sthv2_*).
_base_ = 'sthv1.py'

for __loader in (
    _base_.train_dataloader,
    _base_.val_dataloader,
    _base_.test_dataloader,
):
    __loader.dataset.update(
        data_root='data/sthv2',
        data_prefix=dict(img='frames'),
        filename_tmpl='img_{:05}.jpg',
    )
