"""Layout changes between feature maps and token sequences.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
Pure functions; none of them has parameters or state.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..fast import exported


@exported.replaced
def to_channels_last(x: Tensor) -> Tensor:
    """Stores a map (B, C, *S) so that its tokens (B, N, C) are a view."""
    layout = torch.channels_last if x.ndim == 4 else torch.channels_last_3d
    return x.contiguous(memory_format=layout)


@exported.replaced
def flatten(x: Tensor) -> Tensor:
    """(B, C, *S) -> (B, N, C), a view if ``x`` is channels-last."""
    return x.movedim(1, -1).flatten(1, -2)


@exported.replaced
def unflatten(tokens: Tensor, shape: Sequence[int]) -> Tensor:
    """(B, N, C) -> (B, C, *S), the inverse of :func:`flatten`.

    The map has the strides of channels-last, in a batch of one, too. There
    ``reshape`` would give the batch the stride of one token, and BatchNorm of
    torch 2.11 computes wrong gradients of such maps on the CPU.

    Args:
        tokens: Sequence of N = prod(S) tokens.
        shape: Sizes (B, C, *S) of the map.
    """
    return tokens.unflatten(1, shape[2:]).movedim(-1, 1)


@exported.replaced
def window_split(x: Tensor, window: int) -> Tensor:
    """(B, C, H, W) -> (B * nH * nW, window * window, C).

    The map is padded with zeros at the right and the bottom to a multiple of
    ``window``. As in the official code the padded tokens are not masked: they
    take part in the attention (``SABlock_Windows``, detection and
    segmentation backbones).
    """
    b, c, h, w = x.shape
    rows, cols = (h + window - 1) // window, (w + window - 1) // window
    x = F.pad(x, (0, cols * window - w, 0, rows * window - h))
    x = x.reshape(b, c, rows, window, cols, window)
    x = x.permute(0, 2, 4, 3, 5, 1)
    return x.reshape(b * rows * cols, window * window, c)


@exported.replaced
def window_join(windows: Tensor, window: int, shape: Sequence[int]) -> Tensor:
    """Inverse of :func:`window_split`, without the padding.

    Args:
        windows: (B * nH * nW, window * window, C).
        window: Side of a window, in tokens.
        shape: Sizes (B, C, H, W) of the map before the split.
    """
    b, c, h, w = shape
    rows, cols = (h + window - 1) // window, (w + window - 1) // window
    x = windows.reshape(b, rows, cols, window, window, c)
    x = x.transpose(2, 3).reshape(b, rows * window, cols * window, c)
    return x[:, :h, :w].permute(0, 3, 1, 2)


def keep(x: Tensor, index: Tensor) -> Tensor:
    """Selects tokens, (B, N, C) -> (B, K, C); ``index``: (B, K)."""
    return x.gather(1, index.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def merge(x: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of tokens, (B, N, C) -> (B, 1, C); ``weights``: (B, N).

    Computed in the precision of the weights, even in mixed one. All-zero
    weights (underflow) give zeros, not NaN.
    """
    total = weights.sum(1, keepdim=True)
    total = total.clamp_min(torch.finfo(weights.dtype).tiny)
    weights = (weights / total).unsqueeze(-1)
    return (weights * x).sum(1, keepdim=True).to(x.dtype)


def restore(x: Tensor, index: Tensor, kept: Tensor, update: Tensor) -> Tensor:
    """Puts kept tokens back into place and updates all the others.

    Args:
        x: All tokens before the block, (B, N, C).
        index: Places of the kept tokens, (B, K).
        kept: The kept tokens after the block, (B, K, C).
        update: What every other token gets added, (B, 1, C).
    """
    x = x + update
    index = index.unsqueeze(-1).expand_as(kept)
    return x.scatter_(1, index, kept.to(x.dtype))


def pool_scores(scores: Tensor, shape: Sequence[int]) -> Tensor:
    """Scores of a map with half the height and width, (B, N) -> (B, N').

    Means over 2 x 2 places, then scaled so that each sample's sum stays what
    it was; an odd last row or column is dropped, as by the embeddings.

    Args:
        scores: Scores of the tokens.
        shape: Sizes (B, C, *S) of their map; time is not pooled.
    """
    frames = shape[2] if len(shape) == 5 else 1
    maps = scores.reshape(shape[0], frames, *shape[-2:])
    # Not `avg_pool2d`, which fixes in exported graphs what sizes are odd; and
    # the sizes are written as those of the embedding, so that they agree.
    rows, cols = (
        2 * torch.arange((size - 2) // 2 + 1, device=scores.device)
        for size in shape[-2:]
    )
    maps = maps[..., rows, :] + maps[..., rows + 1, :]
    pooled = (maps[..., cols] + maps[..., cols + 1]).flatten(1) / 4
    total = scores.sum(1, keepdim=True)
    return pooled * (total / pooled.sum(1, keepdim=True))


def share(total: int, ratio: float) -> int:
    """``int(total * ratio)``; in whole numbers where ratio is simple."""
    top, bottom = ratio.as_integer_ratio()
    if bottom <= 1024:
        return total * top // bottom
    return torch.sym_int(total * ratio)
