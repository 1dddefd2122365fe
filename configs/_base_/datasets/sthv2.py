# Something-Something V2, frames extracted at 30 per second, as sthv1.py
# (recipes: video_classification/exp/*_sthv2_*).
_base_ = 'sthv1.py'

train_dataloader = dict(
    dataset=dict(
        data_root='data/sthv2',
        data_prefix=dict(img='frames'),
        filename_tmpl='img_{:05}.jpg',
    )
)
val_dataloader = train_dataloader
test_dataloader = train_dataloader
