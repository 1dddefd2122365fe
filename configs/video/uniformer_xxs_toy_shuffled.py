"""The test of uniformer_xxs_toy.py on videos with frames in a random order.

A model that has learned motion, and nothing else, is as good as chance:
12.5 %.

    tools/test.py configs/video/uniformer_xxs_toy_shuffled.py CHECKPOINT
"""

_base_ = 'uniformer_xxs_toy.py'

__test = _base_.test_dataloader.dataset.pipeline
__test.insert(3, dict(type='mmuniformer.ShuffleFrames'))
test_dataloader = dict(dataset=dict(pipeline=__test))
