"""Token labeling: targets from label maps, MixToken and the loss.

Legend: B batch, C channels, K classes, T scores kept per cell, N tokens,
(H, W) a feature map, (h, w) a label map.
Paper: All Tokens Matter (arXiv 2104.10858), as used for UniFormer. Source:
``tlt`` of that paper and ``token_labeling`` of the authors. Plain functions.
"""

from math import sqrt

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import roi_align

Box = tuple[int, int, int, int]


def targets(
    labels: Tensor,
    boxes: Tensor,
    num_classes: int,
    size: int,
    smoothing: float = 0.1,
    box_order: str = 'published',
) -> Tensor:
    """Targets of the whole crop and of each of its tokens.

    Args:
        labels: Scores and class ids (B, 2, T, h, w).
        boxes: Upper, left, lower and right edge of the crop (B, 4), as shares
            of the picture.
        num_classes: Classes K.
        size: Tokens along a side.
        smoothing: Label smoothing.
        box_order: RoIAlign wants x before y. 'published' gives it y before x
            as the authors do, which takes the mirrored crop along the
            diagonal of the map; their weights were trained so. It is right
            only if the maps are transposed. 'xy' is right for maps that are
            not, such as those of ``tools/make_token_labels.py``.

    Returns:
        (B, K, 1 + size * size), the crop first. As published they sum up to
        ``1 + smoothing / K`` over the classes.
    """
    scores, ids = labels[:, 0].float(), labels[:, 1].long()
    dense = scores.new_zeros(len(labels), num_classes, *scores.shape[2:])
    dense.scatter_(1, ids, scores)
    if box_order == 'xy':
        boxes = boxes[:, [1, 0, 3, 2]]
    # The width for all four: the authors' maps are squares.
    corners = boxes.float() * labels.shape[-1] - 0.5
    rois = list(corners[:, None])
    whole = roi_align(dense, rois, 1).flatten(2)
    tokens = roi_align(dense, rois, size).flatten(2)
    found = torch.cat([whole, tokens], 2).softmax(1)
    low = smoothing / num_classes
    return found * (1 - smoothing + low) + low


def random_box(height: int, width: int) -> Box:
    """The box of MixToken: top, bottom, left, right; the top left included.

    Its sides are ``sqrt(1 - Beta(1, 1))`` of the map's; the middle is
    anywhere, so the box may be cut off.
    """
    share = sqrt(1 - np.random.beta(1.0, 1.0))
    edges = []
    for length in (height, width):
        half = int(length * share) // 2
        middle = np.random.randint(length)
        edges += [max(middle - half, 0), min(middle + half, length)]
    return edges[0], edges[1], edges[2], edges[3]


def swap(x: Tensor, box: Box) -> Tensor:
    """Exchanges a box with the batch in reverse order; its own inverse.

    Args:
        x: Maps (B, C, H, W).
        box: Top, bottom, left, right.
    """
    top, bottom, left, right = box
    mixed = x.clone()
    mixed[..., top:bottom, left:right] = x.flip(0)[..., top:bottom, left:right]
    return mixed


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over all but the classes, which are dimension 1 of both."""
    return -(target * logits.log_softmax(1)).sum(1).mean()


def losses(
    logits: Tensor, tokens: Tensor, target: Tensor, box: Box
) -> tuple[Tensor, Tensor]:
    """Losses of the mixed pictures and of their tokens.

    Args:
        logits: Of the pictures, (B, K).
        tokens: Of their tokens, mixed, (B, K, H, W).
        target: From :func:`targets`, not mixed.
        box: What was mixed, on the grid of the tokens.
    """
    top, bottom, left, right = box
    area = (bottom - top) * (right - left)
    kept = 1 - area / tokens[0, 0].numel()
    whole = target[..., 0]
    whole = kept * whole + (1 - kept) * whole.flip(0)
    dense = swap(tokens, box).flatten(2)
    return (
        soft_cross_entropy(logits, whole),
        soft_cross_entropy(dense, target[..., 1:]),
    )
