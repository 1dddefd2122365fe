# ImageNet-1K with label maps at 384 pixels.
_base_ = 'imagenet_tl.py'

_base_.train_dataloader.batch_size = 64
_base_.train_dataloader.dataset.pipeline[3].size = 384
_base_.train_dataloader.dataset.pipeline[4].scale = 384
_base_.val_dataloader.dataset.pipeline[1].scale = 426  # 384 / 0.9
_base_.val_dataloader.dataset.pipeline[2].crop_size = 384
test_dataloader = _base_.val_dataloader
