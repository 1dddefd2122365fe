# AdamW for 310 epochs of 1024 images (recipes: token_labeling/exp/*_224).
_base_ = 'cls_300e.py'

# A cosine of 300 epochs, on time here, and 10 at its end.
train_cfg = dict(max_epochs=310)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=300,
        warmup_epochs=5,
        warmup_lr=1e-6,
        min_lr=1e-5,
    )
]
optim_wrapper = dict(optimizer=dict(lr=1.6e-3))
