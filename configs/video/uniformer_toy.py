"""A video model small enough for two CPU cores, on the toy world.

From random weights it learns eight motions in minutes:

    tools/make_toyworld.py --layouts kinetics
    tools/dist_train.sh configs/video/uniformer_toy.py 2

Nothing but motion tells them: the frames of all classes are alike. With
shuffled frames the same weights are as good as chance, 12.5 %:

    tools/test.py configs/video/uniformer_toy_shuffled.py CHECKPOINT
"""

_base_ = [
    '../_base_/models/video_uniformer_toy.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/video_toy.py',
]

# A clip of 8 frames shows all of a video. To the right flipped is to the
# left, and for so short a training there is no automatic augmentation.
__train = _base_.train_dataloader.dataset.pipeline
__train[1].update(clip_len=8, frame_interval=3)
__augment = __train[3].transforms
__augment[1].update(size=48, scale=(0.7, 1.0), ratio=(1.0, 1.0))
__train[3].num_repeats = 1
__train[3].transforms = [
    dict(type='mmuniformer.ClipCrop', size=64),
    __augment[1],
    *__augment[-2:],
]
train_dataloader = dict(batch_size=16, num_workers=1)
__test = _base_.val_dataloader.dataset.pipeline
__test[1].update(clip_len=8, frame_interval=3)
__test[3].size = 48
__test[4].size = 48
val_dataloader = dict(
    batch_size=50, num_workers=1, dataset=dict(pipeline=__test)
)
test_dataloader = val_dataloader
