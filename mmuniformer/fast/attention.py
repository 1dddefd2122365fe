"""Attention in bfloat16, on CPUs.

PyTorch's fused kernel takes as long for it as in float32; two products by
oneDNN and a softmax, which computes in float32, are sooner. The logits are
rounded between them, which moves outputs by no more than the other roundings
do. They are made for some heads and queries at a time, so that they stay in
the cache.

Legend: B batch, K heads, N tokens, D channels of a head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .graphs import cpu_autocast, is_compiling, is_eager, takes_custom_code

# Queries of a head, and logits, that are in work together.
QUERIES, LOGITS = 512, 1 << 21


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """``scaled_dot_product_attention``, each (B, K, N, D)."""
    if not applies(query):
        return F.scaled_dot_product_attention(query, key, value)
    if is_compiling():
        return torch.ops.mmuniformer.attend(query, key, value)
    return by_products(query, key, value)


def applies(query: Tensor) -> bool:
    """Whether two products are to compute it; not in training."""
    return (
        query.dtype == torch.bfloat16
        and query.device.type == 'cpu'
        and not (torch.is_grad_enabled() or cpu_autocast())
        and (takes_custom_code() or is_eager(query))
    )


def by_products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention by two products and a softmax, each (B, K, N, D)."""
    batch, heads, tokens, size = query.shape
    out = _empty(query, key, value)
    if not out.numel():
        return out
    together = max(LOGITS // (min(tokens, QUERIES) * tokens), 1)
    samples, some = max(together // heads, 1), min(together, heads)
    key = key.transpose(-1, -2)
    query = query * size**-0.5
    for b in range(0, batch, samples):
        for h in range(0, heads, some):
            part = slice(b, b + samples), slice(h, h + some)
            k, v = key[part], value[part]
            for n in range(0, tokens, QUERIES):
                rows = *part, slice(n, n + QUERIES)
                out[rows] = (query[rows] @ k).softmax(-1) @ v
    return out


def _empty(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """A result (B, K, N, D) whose heads are joined without a copy."""
    batch, heads, tokens, size = query.shape
    return query.new_empty(batch, tokens, heads, size).transpose(1, 2)


_LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
_LIBRARY.define('attend(Tensor query, Tensor key, Tensor value) -> Tensor')
_LIBRARY.impl('attend', by_products, 'CPU')
_LIBRARY.impl('attend', _empty, 'Meta')
