# AdamW for 300 epochs of 1024 images (recipes: image_classification/exp/*).
# Mixed precision in evaluation, too.
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
val_cfg = dict(fp16=True)
test_cfg = dict(fp16=True)

# The recipes' 10 epochs of cool-down never run.
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=300,
        warmup_epochs=5,
        warmup_lr=1e-6,
        min_lr=1e-5,
        lag=1,
    )
]

optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(
        type='AdamW',
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.05,
    ),
    constructor='mmuniformer.MergedGroups',
    # No decay for the class token and whatever has one dimension. The layer
    # scales of convolution blocks have four.
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
        custom_keys={'cls_token': dict(decay_mult=0.0)},
    ),
)

auto_scale_lr = dict(enable=False, base_batch_size=1024)
