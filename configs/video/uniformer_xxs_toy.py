"""A light video model small enough for two CPU cores, on the toy world.

From random weights it learns eight motions in minutes, of frames as files:

    tools/make_toyworld.py --layouts ssv
    tools/dist_train.sh configs/video/uniformer_xxs_toy.py 2

With shuffled frames the same weights are as good as chance, 12.5 %:

    tools/test.py configs/video/uniformer_xxs_toy_shuffled.py CHECKPOINT
"""

_base_ = [
    '../_base_/models/video_uniformer_toy.py',
    '../_base_/datasets/sthv1.py',
    '../_base_/schedules/video_toy.py',
]

model = dict(
    backbone=dict(type='mmuniformer.UniFormerLight', with_cls_token=True),
    cls_head=dict(type='mmuniformer.LightVideoHead'),
)

# Without automatic augmentation and erasing, for so short a training; and with
# the centre of each segment: of so few frames a random one hides the speed.
__train = _base_.train_dataloader.dataset.pipeline
__train[0].update(clip_len=8, test_mode=True)
__augment = __train[3].transforms
__augment[1].update(size=64, scale=(0.7, 1.0), ratio=(1.0, 1.0))
__train[3].num_repeats = 1
__train[3].transforms = [
    dict(type='mmuniformer.ClipCrop', size=64),
    __augment[1],
    *__augment[-2:],
]
train_dataloader = dict(batch_size=16, num_workers=1)
__test = _base_.val_dataloader.dataset.pipeline
__test[0].clip_len = 8
__test[3].size = 64
__test[4].size = 64
val_dataloader = dict(
    batch_size=50, num_workers=1, dataset=dict(pipeline=__test)
)
test_dataloader = val_dataloader
