"""Boxes and masks of the photographs (make.py)."""

_base_ = '../../configs/det/mask_rcnn_uniformer_toy.py'
num_classes = 5
epochs = 5
own = dict(
    data_root='data/photographs/det',
    metainfo=dict(classes=('cup', 'spoon', 'plate', 'motorcycle', 'person')),
    data_prefix=dict(img=''),
)
train_dataloader = dict(dataset=dict(ann_file='train.json', **own))
val_dataloader = dict(dataset=dict(ann_file='val.json', **own))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='data/photographs/det/val.json')
test_evaluator = val_evaluator
