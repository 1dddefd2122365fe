"""Label maps without enlarging the scores of classes that win nowhere.

mmseg enlarges the scores of all classes, 150 of ADE20K, to the size of the
input and then to that of the picture, to take the largest at each pixel. Most
classes are nowhere near: :func:`winners` finds those that may win, exactly.

Legend: B batch, K classes, (h, w) the head's map, (H, W) the picture.
"""

from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors.encoder_decoder import EncoderDecoder
from mmseg.models.utils import resize
from torch import Tensor

# Of the largest score: more than rounding changes.
MARGIN = 1e-4


def predict(model: Any, data: dict[str, Any]) -> list[Any]:
    """Label maps as of ``model.test_step``, and no ``seg_logits``.

    Args:
        model: A segmentor.
        data: A batch, as of the data loader; pictures of one size.

    Returns:
        Data samples with ``pred_sem_seg``, (1, H, W) each.
    """
    data = model.data_preprocessor(data, False)
    samples = data.get('data_samples')
    if not samples or not is_plain(model):
        samples = model._run_forward(data, mode='predict')
        for sample in samples:
            sample.pop('seg_logits', None)
        return samples
    maps = model.decode_head(model.extract_feat(data['inputs']))
    first = samples[0].metainfo
    size = first.get('pad_shape', first['img_shape'])[:2]
    for scores, sample in zip(maps, samples):
        labels = largest(scores, size, sample.metainfo, model.align_corners)
        sample.set_data(dict(pred_sem_seg=PixelData(data=labels)))
    return samples


def is_plain(model: Any) -> bool:
    """Whether a segmentor takes the largest score, by mmseg's own code."""
    head = getattr(model, 'decode_head', None)
    return (
        type(model) is EncoderDecoder
        and model.test_cfg.get('mode', 'whole') == 'whole'
        and isinstance(head, BaseDecodeHead)
        and type(head).predict is BaseDecodeHead.predict
        and type(head).predict_by_feat is BaseDecodeHead.predict_by_feat
        and head.align_corners == model.align_corners
        and model.out_channels > 1
    )


def largest(
    scores: Tensor, size: tuple[int, int], meta: dict, corners: bool
) -> Tensor:
    """The label map (1, H, W) of scores (K, h, w).

    Args:
        scores: Of one picture.
        size: Of the network's input.
        meta: Of the picture: its size, padding and flip.
        corners: ``align_corners`` of the model.
    """
    kept = winners(scores, size)
    maps = enlarge(scores[kept][None], size, corners)
    left, right, top, bottom = meta.get(
        'img_padding_size', meta.get('padding_size', [0] * 4)
    )
    height, width = maps.shape[2:]
    maps = maps[..., top : height - bottom, left : width - right]
    if meta.get('flip'):
        horizontal = meta.get('flip_direction') == 'horizontal'
        maps = maps.flip(dims=(3 if horizontal else 2,))
    # max, which finds the same places as argmax, is much faster on a CPU.
    return kept[enlarge(maps, meta['ori_shape'], corners).max(1).indices]


def enlarge(maps: Tensor, size: tuple[int, int], corners: bool) -> Tensor:
    """Maps (1, K, h, w) at another size, as mmseg has it."""
    if maps.shape[2:] == tuple(size):
        return maps  # all weights would be one or nothing
    return resize(maps, size, None, 'bilinear', corners, False)


def winners(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Classes that may have the largest score somewhere in an enlarged map.

    What is enlarged twice is a mean of scores in a window of 3 x 3. A class
    wins nowhere in it if its largest score there is less than the smallest
    one of another class.

    Args:
        scores: (K, h, w).
        size: That the map is enlarged to at first.
    """
    height, width = scores.shape[1:]
    every = torch.arange(len(scores), device=scores.device)
    if min(height, width) < 3 or height > size[0] or width > size[1]:
        return every
    high = _window(_window(scores, 1, torch.maximum), 2, torch.maximum)
    low = _window(_window(scores, 1, torch.minimum), 2, torch.minimum)
    bar = low.amax(0) - MARGIN * scores.abs().max()
    return every[~(high < bar).flatten(1).all(1)]


def _window(scores: Tensor, dim: int, larger: Any) -> Tensor:
    """The extreme of each three neighbours along a dimension."""
    count = scores.shape[dim] - 2
    first, second, third = (
        scores.narrow(dim, start, count) for start in range(3)
    )
    return larger(larger(first, second), third)
