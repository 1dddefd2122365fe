"""UniFormer-XXS at 128 pixels, 600 epochs, ImageNet-1K.

Published: 76.8 top-1, 10.2M parameters, 0.43G FLOPs (README of
image_classification, exp_light/xxs_128).

    tools/dist_train.sh configs/cls/uniformer_xxs_128.py 8

8 GPUs, 512 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = 'uniformer_xxs_224.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1].scale = 128
__train[3].size = 128
__test = _base_.val_dataloader.dataset.pipeline
__test[1].scale = 146  # 128 * 256 / 224
__test[2].crop_size = 128
test_dataloader = _base_.val_dataloader
