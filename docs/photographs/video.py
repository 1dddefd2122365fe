"""Moves of a camera over photographs (make.py)."""

_base_ = '../../configs/video/uniformer_toy.py'
num_classes = 6
own = dict(data_root='data/photographs/video', ann_file='')
train_dataloader = dict(dataset=dict(data_prefix=dict(video='train'), **own))
val_dataloader = dict(dataset=dict(data_prefix=dict(video='val'), **own))
test_dataloader = val_dataloader
