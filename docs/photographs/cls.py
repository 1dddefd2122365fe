"""The photographs as classes (make.py)."""

_base_ = '../../configs/cls/uniformer_toy.py'
data_root = 'data/photographs/cls'
num_classes = 7
