# UCF101, split 1 (recipes: video_classification/exp/*_ucf101_*). Lists have
# lines `PATH LABEL`.
_base_ = 'kinetics400.py'

for __loader in (
    _base_.train_dataloader,
    _base_.val_dataloader,
    _base_.test_dataloader,
):
    __loader.dataset.update(
        data_root='data/ucf101',
        data_prefix=dict(video='videos'),
        delimiter=' ',
    )
__augment = _base_.train_dataloader.dataset.pipeline[3].transforms
__augment[0].policy = 'rand-m5-n2-mstd0.25'
# The published test: five clips, three crops.
__test = _base_.test_dataloader.dataset.pipeline
__test[1].num_clips = 5
__test[4].num_crops = 3

train_dataloader = dict(batch_size=16)
test_dataloader = dict(batch_size=1)
