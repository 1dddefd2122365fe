"""Attention over few tokens in bfloat16, on CPUs.

PyTorch's fused kernel takes as long for it as in float32; two products by
oneDNN and a softmax are sooner. The logits are rounded between them, which
moves the output of S by no more than the other roundings do.

Legend: B batch, K heads, N tokens, D channels of a head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .graphs import cpu_autocast, is_eager

# Logits of a sample; with more of them the fused kernel is faster.
LOGITS_OF_A_SAMPLE = 1 << 22
# Logits that are in work together, so that they stay in the cache.
LOGITS_AT_A_TIME = 1 << 20


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """``scaled_dot_product_attention``, each (B, K, N, D)."""
    if not applies(query):
        return F.scaled_dot_product_attention(query, key, value)
    _, heads, tokens, size = query.shape
    count = max(LOGITS_AT_A_TIME // (heads * tokens**2), 1)
    query, key = query * size**-0.5, key.transpose(-1, -2)
    parts = zip(query.split(count), key.split(count), value.split(count))
    outs = [torch.matmul((q @ k).softmax(-1), v) for q, k, v in parts]
    return outs[0] if len(outs) == 1 else torch.cat(outs)


def applies(query: Tensor) -> bool:
    """Whether two products are to compute it; not in graphs and training."""
    return (
        query.dtype == torch.bfloat16
        and query.device.type == 'cpu'
        and not (torch.is_grad_enabled() or cpu_autocast())
        and is_eager(query)
        and 0 < query.shape[1] * query.shape[2] ** 2 <= LOGITS_OF_A_SAMPLE
        and len(query) > 0
    )
