"""UniFormer-S, from its weights of ImageNet-1K to a data set of your own.

The data set has a folder of pictures for each class, the same classes in both
parts: data/my_flowers/{train,val}/CLASS/*.jpg. The README has the few lines
of a config that inherits this one and says where it is.

    tools/train.py configs/cls/uniformer_s_finetune.py

The schedule is not of the authors: 30 epochs, 64 images on one GPU; other
batch sizes: add --auto-scale-lr.
"""

_base_ = [
    '../_base_/models/cls_uniformer.py',
    '../_base_/datasets/imagenet.py',
    '../_base_/schedules/cls_300e.py',
    '../_base_/cls_runtime.py',
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='uniformer_small_in1k',
        ),
    )
)
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    drop_last=False,  # small data sets need every picture
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(type='CustomDataset'),
)
val_dataloader = dict(num_workers=4, dataset=dict(type='CustomDataset'))
test_dataloader = val_dataloader
# There may be less than five classes.
val_evaluator = dict(topk=(1,))
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=30)
param_scheduler = [
    dict(
        type='mmuniformer.WarmupCosineLR',
        epochs=30,
        warmup_epochs=2,
        warmup_lr=1e-6,
        min_lr=1e-6,
    )
]
optim_wrapper = dict(optimizer=dict(lr=1e-4))
# In so few iterations an average would stay at the new head's random weights.
default_hooks = dict(ema=None)
auto_scale_lr = dict(base_batch_size=64)
