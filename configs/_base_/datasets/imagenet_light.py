# ImageNet-1K for the light models (recipes: image_classification/exp_light/*).
_base_ = 'imagenet.py'

train_dataloader = dict(
    batch_size=512,  # 8 GPUs, 4096 images per step
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
)
