"""Label maps of a photograph (make.py)."""

_base_ = '../../configs/seg/fpn_uniformer_toy.py'
num_classes = 4
iters = 400
own = dict(
    type='BaseSegDataset',
    data_root='data/photographs/seg',
    metainfo=dict(
        classes=('sky', 'water', 'building', 'tree'),
        palette=[[120, 180, 240], [20, 60, 200], [220, 40, 40], [30, 160, 60]],
    ),
)
train = dict(img_path='img/train', seg_map_path='ann/train')
val = dict(img_path='img/val', seg_map_path='ann/val')
train_dataloader = dict(dataset=dict(data_prefix=train, **own))
val_dataloader = dict(dataset=dict(data_prefix=val, **own))
test_dataloader = val_dataloader
