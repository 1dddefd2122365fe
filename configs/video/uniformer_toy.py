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
    '../_base_/datasets/kinetics_toy.py',
    '../_base_/schedules/video_toy.py',
    '../_base_/video_runtime.py',
]

default_hooks = dict(logger=dict(interval=10))
log_processor = dict(window_size=10)
