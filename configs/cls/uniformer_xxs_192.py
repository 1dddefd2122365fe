"""UniFormer-XXS at 192 pixels, 600 epochs, ImageNet-1K.

Published: 79.9 top-1, 10.2M parameters, 0.96G FLOPs (README of
image_classification, exp_light/xxs_192).

    tools/dist_train.sh configs/cls/uniformer_xxs_192.py 8

8 GPUs, 512 images each; other batch sizes: add --auto-scale-lr.
"""

_base_ = 'uniformer_xxs_224.py'

__train = _base_.train_dataloader.dataset.pipeline
__train[1].scale = 192
__train[3].size = 192
__test = _base_.val_dataloader.dataset.pipeline
__test[1].scale = 219  # 192 * 256 / 224
__test[2].crop_size = 192
test_dataloader = _base_.val_dataloader
