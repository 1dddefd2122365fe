# AdamW for 60 epochs of 512 images at one learning rate (recipes:
# token_labeling/exp/*_384): the 10 of cool-down run, too.
_base_ = 'cls_300e.py'

train_cfg = dict(max_epochs=60)
param_scheduler = None
optim_wrapper = dict(optimizer=dict(lr=5e-6, weight_decay=1e-8))
auto_scale_lr = dict(base_batch_size=512)
