"""Attention by two products and a softmax, on CPUs.

In bfloat16 PyTorch's fused kernel takes as long as in float32; two products by
oneDNN and a softmax, which computes in float32, are sooner. The logits are
rounded between them, which moves outputs by no more than the other roundings
do. They are made for some heads and queries at a time, so that they stay in
the cache, and once more for the gradients.

In float32 the fused kernel's products are those of BLAS. Where oneDNN is so
much faster that two products of its are sooner, which is measured once, they
compute long sequences.

Legend: B batch, K heads, N tokens, D channels of a head.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from . import products
from .graphs import is_compiling, is_eager, takes_custom_code

# Queries of a head, and logits, that are in work together.
QUERIES, LOGITS = 512, 1 << 21
# Tokens from which on float32 may take products: shorter ones are too small.
LONG = 512


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """``scaled_dot_product_attention``, each (B, K, N, D)."""
    if not applies(query):
        return F.scaled_dot_product_attention(query, key, value)
    if torch.is_grad_enabled():
        return _Attention.apply(query, key, value)
    if is_compiling():
        return torch.ops.mmuniformer.attend(query, key, value)
    return by_products(query, key, value)


def applies(query: Tensor) -> bool:
    """Whether two products are to compute it."""
    compiled = not torch.is_grad_enabled() and takes_custom_code()
    if query.device.type != 'cpu' or not (compiled or is_eager(query)):
        return False
    if query.dtype != torch.float32:
        return query.dtype == torch.bfloat16
    if not compiled and query.shape[-2] < LONG:
        return False  # nothing to measure
    training = ', training' if torch.is_grad_enabled() else ''
    found = products.library(query.dtype, 'attention' + training)
    return found == 'onednn' and query.shape[-2] >= LONG


def ways(dtype: torch.dtype, tokens: int) -> dict[str, Any]:
    """The fused kernel and the products for a head, to be measured."""
    with torch.inference_mode(False), torch.enable_grad():
        head = torch.ones(1, 1, tokens, 64, dtype=dtype, requires_grad=True)

    def by_onednn() -> Tensor:
        training = torch.is_grad_enabled()
        attend = _Attention.apply if training else by_products
        return attend(head, head, head)

    return dict(
        blas=lambda: F.scaled_dot_product_attention(head, head, head),
        onednn=by_onednn,
    )


def by_products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention by two products and a softmax, each (B, K, N, D)."""
    out = _empty(query, key, value)
    query = query * query.shape[-1] ** -0.5
    key, value = _laid_out(key.mT), _laid_out(value)
    with torch.autocast('cpu', enabled=False):
        for rows, part in _parts(query):
            weights = _product(query[rows], key[part]).softmax(-1)
            out[rows] = _product(weights, value[part])
    return out


def gradients(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of :func:`by_products`, each (B, K, N, D)."""
    scale = query.shape[-1] ** -0.5
    query, grad = query * scale, grad.contiguous()
    of_query = torch.empty_like(query)
    of_key = torch.zeros_like(key, dtype=torch.float32)
    of_value = torch.zeros_like(of_key)
    turned, value = _laid_out(key.mT), _laid_out(value.mT)
    key = _laid_out(key)
    with torch.autocast('cpu', enabled=False):
        for rows, part in _parts(query):
            weights = _product(query[rows], turned[part]).softmax(-1)
            of_value[part] += _product(weights.mT, grad[rows])
            of_logits = torch._softmax_backward_data(
                _product(grad[rows], value[part]), weights, -1, weights.dtype
            )
            of_query[rows] = _product(of_logits, key[part])
            of_key[part] += _product(of_logits.mT, query[rows])
    return of_query * scale, of_key.to(key.dtype), of_value.to(key.dtype)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Matrix product by oneDNN, which takes no batches in float32."""
    if left.dtype == torch.float32:
        return products.by_packed(left, right.mT, None)
    return left @ right


def _laid_out(right: Tensor) -> Tensor:
    """The right factors of products as they are read."""
    if right.dtype == torch.float32:
        return right.mT.contiguous().mT
    return right.contiguous()


def _parts(query: Tensor) -> Iterator[tuple[Any, Any]]:
    """What is in work together: rows of queries, and heads of samples."""
    batch, heads, tokens, _ = query.shape
    if not query.numel():
        return
    step = -(-tokens // -(-tokens // QUERIES))  # parts of one size
    if query.dtype == torch.float32:  # a head alone
        parts: Any = itertools.product(range(batch), range(heads))
    else:
        together = max(LOGITS // (step * tokens), 1)
        parts = itertools.product(
            _slices(batch, max(together // heads, 1)),
            _slices(heads, min(together, heads)),
        )
    for part in parts:
        for rows in _slices(tokens, step):
            yield (*part, rows), part


def _slices(count: int, step: int) -> list[slice]:
    return [slice(n, n + step) for n in range(0, count, step)]


def _empty(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """A result (B, K, N, D) whose heads are joined without a copy."""
    batch, heads, tokens, size = query.shape
    return query.new_empty(batch, tokens, heads, size).transpose(1, 2)


class _Attention(torch.autograd.Function):
    """:func:`by_products` with gradients."""

    @staticmethod
    def forward(ctx: Any, *heads: Tensor) -> Tensor:
        ctx.save_for_backward(*heads)
        return by_products(*heads)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return gradients(grad, *ctx.saved_tensors)


_LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
_LIBRARY.define('attend(Tensor query, Tensor key, Tensor value) -> Tensor')
_LIBRARY.impl('attend', by_products, 'CPU')
_LIBRARY.impl('attend', _empty, 'Meta')
