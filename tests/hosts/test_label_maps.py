"""Label maps that are mmseg's own, of fewer classes than it enlarges."""

import pytest
import torch
from torch.nn import functional as F

pytest.importorskip('mmseg')

from mmuniformer.hosts.mmseg import label_maps


def smooth(classes=150, side=(12, 16), seed=0):
    """Scores as of a trained head: a few classes, each somewhere."""
    torch.manual_seed(seed)
    coarse = torch.randn(1, classes, 3, 4) * 4
    scores = F.interpolate(coarse, side, mode='bicubic')[0]
    return scores - torch.linspace(0, 6, classes)[:, None, None]


def by_mmseg(scores, size, meta, corners):
    """What ``postprocess_result`` does."""
    maps = label_maps.resize(
        scores[None], size, None, 'bilinear', corners, False
    )
    left, right, top, bottom = meta.get('padding_size', [0] * 4)
    height, width = maps.shape[2:]
    maps = maps[..., top : height - bottom, left : width - right]
    if meta.get('flip'):
        maps = maps.flip(dims=(3,))
    maps = label_maps.resize(
        maps, meta['ori_shape'], None, 'bilinear', corners, False
    )
    return maps.argmax(1)


METAS = {
    'as it is': dict(ori_shape=(48, 64)),
    'larger': dict(ori_shape=(61, 83)),
    'smaller': dict(ori_shape=(31, 47)),
    'much smaller': dict(ori_shape=(7, 9)),
    'padded': dict(ori_shape=(60, 70), padding_size=[0, 9, 0, 5]),
    'flipped': dict(
        ori_shape=(60, 70), flip=True, flip_direction='horizontal'
    ),
}


@pytest.mark.parametrize('corners', [False, True])
@pytest.mark.parametrize('kind', METAS)
def test_every_pixel_is_as_mmseg_has_it(kind, corners):
    for seed in range(4):
        scores = smooth(seed=seed)
        args = scores, (48, 64), METAS[kind], corners
        assert torch.equal(label_maps.largest(*args), by_mmseg(*args))


@pytest.mark.parametrize(
    'scores',
    [
        torch.zeros(5, 8, 8),
        torch.randn(40, 8, 8),
        torch.randn(7, 2, 9),
        torch.full((6, 8, 8), float('nan')),
        torch.eye(16).reshape(16, 4, 4),
    ],
    ids=['ties', 'noise', 'too low', 'nan', 'a class for each place'],
)
def test_maps_without_a_clear_winner(scores):
    args = scores, (32, 36), dict(ori_shape=(45, 40)), False
    assert torch.equal(label_maps.largest(*args), by_mmseg(*args))


def test_most_classes_are_left_out():
    scores = smooth()
    scores[20:] -= 20
    kept = label_maps.winners(scores, (48, 64))
    assert 1 < len(kept) <= 20
