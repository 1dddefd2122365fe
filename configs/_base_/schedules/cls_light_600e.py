# AdamW for 600 epochs of 4096 images, in full precision (recipes:
# image_classification/exp_light/*).
_base_ = 'cls_300e.py'

train_cfg = dict(max_epochs=600)
val_cfg = dict(fp16=False)
test_cfg = dict(fp16=False)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=600,
        warmup_epochs=30,
        warmup_lr=1e-6,
        min_lr=1e-5,
        lag=1,
    )
]
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(lr=3.2e-3, weight_decay=0.1),
)
auto_scale_lr = dict(base_batch_size=4096)
