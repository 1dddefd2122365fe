"""Key points of a photograph (make.py)."""

_base_ = '../../configs/pose/topdown_uniformer_toy.py'
own = dict(data_root='data/photographs/pose', data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(ann_file='train.json', **own))
val_dataloader = dict(dataset=dict(ann_file='val.json', bbox_file=None, **own))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='data/photographs/pose/val.json')
test_evaluator = val_evaluator
