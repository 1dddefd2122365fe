"""UniFormer-XXS at 160 pixels, 600 epochs, ImageNet-1K.

Published: 79.1 top-1, 10.2M parameters, 0.67G FLOPs (README of
image_classification, exp_light/xxs_160).

    tools/dist_train.sh configs/cls/uniformer_xxs_160.py 8

8 GPUs, 512 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = 'uniformer_xxs_224.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1].scale = 160
__train[3].size = 160
__test = _base_.val_dataloader.dataset.pipeline
__test[1].scale = 182  # 160 * 256 / 224
__test[2].crop_size = 160
test_dataloader = _base_.val_dataloader
