"""What inference may do and training may not: sums in place, work in parts.

Legend: B batch, C channels, N tokens.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..models.layers import POINTWISE, Mlp
from .graphs import builds_graph, cpu_autocast, is_compiling, takes_custom_code

# Tokens per CPU thread that go through an MLP at a time: their hidden values
# then stay in the cache.
TOKENS_AT_A_TIME = 1024


def eager_inference(module: nn.Module) -> bool:
    """Whether a module may change tensors in place, and work in parts."""
    return not (module.training or torch.is_grad_enabled() or builds_graph())


def compiled_inference(module: nn.Module) -> bool:
    """Whether a graph of a module is compiled for inference."""
    return takes_custom_code() and not (
        module.training or torch.is_grad_enabled()
    )


def scaled(branch: Tensor, gamma: Tensor | None) -> Tensor:
    """A branch of tokens (..., C) times its layer scale, if there is one."""
    return branch if gamma is None else gamma.flatten() * branch


def is_plain(layer: nn.Module, *values: Tensor) -> bool:
    """Whether a linear layer is just its weights, of the values' dtype.

    It is not if it is hooked or quantised.
    """
    return (
        type(layer) in tuple(POINTWISE.values())
        and not layer._forward_hooks
        and all(value.dtype == layer.weight.dtype for value in values)
    )


def add_product(
    x: Tensor, hidden: Tensor, last: Any, gamma: Tensor | None
) -> Tensor:
    """Adds ``gamma * last(hidden)`` to tokens, in place.

    Where it can, it leaves the sum to the matrix product: one pass less.

    Args:
        x: Contiguous tokens (..., C).
        hidden: Tokens (..., C').
        last: Linear layer.
        gamma: Layer scale, or None.
    """
    if gamma is not None or not is_plain(last, x, hidden):
        return x.add_(scaled(last(hidden), gamma))
    rows, hidden = x.view(-1, x.shape[-1]), hidden.flatten(0, -2)
    _add_linear(rows, hidden, last.weight.flatten(1), last.bias)
    return x


def _add_linear(
    rows: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor
) -> None:
    """Adds a linear layer's output to rows (N, C), in place."""
    rows.add_(bias).addmm_(hidden, weight.t())


def add_mlp(
    x: Tensor, normed: Tensor, mlp: Mlp, gamma: Tensor | None
) -> Tensor:
    """Adds ``gamma * mlp(normed)`` to tokens, eagerly or in a graph.

    A CPU takes some tokens at a time. Compilers would unroll that loop, so
    it is one operator in their graphs.

    Args:
        x: Tokens (B, N, C); may be changed in place.
        normed: Tokens (B, N, C).
        mlp: What to add.
        gamma: Layer scale, or None.
    """
    x = x.contiguous()
    graph = is_compiling()
    if _works_in_parts(x, normed, mlp):
        add = torch.ops.mmuniformer.add_mlp if graph else add_mlp_in_parts
        first: Any = mlp.fc1
        last: Any = mlp.fc2
        add(
            x,
            normed,
            first.weight.flatten(1),
            first.bias,
            last.weight.flatten(1),
            last.bias,
            None if gamma is None else gamma.flatten(),
        )
        return x
    if graph:
        return x + scaled(mlp(normed), gamma)
    for rows, part in _parts(x, normed):
        add_product(rows, mlp.hidden(part), mlp.fc2, gamma)
    return x


def _parts(x: Tensor, normed: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    """Rows of both (B, N, C) that are in work together: on a CPU, a few."""
    x, normed = x.view(-1, x.shape[-1]), normed.flatten(0, 1)
    size = len(x)
    if x.device.type == 'cpu':
        size = TOKENS_AT_A_TIME * torch.get_num_threads()
    return zip(x.split(size), normed.split(size))


def _works_in_parts(x: Tensor, normed: Tensor, mlp: Mlp) -> bool:
    return (
        x.device.type == 'cpu'
        and x.dtype in (torch.float32, torch.float64)
        and is_plain(mlp.fc1, x, normed)
        and is_plain(mlp.fc2, x, normed)
        and not cpu_autocast()
    )


def add_mlp_in_parts(
    x: Tensor,
    normed: Tensor,
    weight_1: Tensor,
    bias_1: Tensor,
    weight_2: Tensor,
    bias_2: Tensor,
    gamma: Tensor | None,
) -> None:
    """Adds an MLP of tokens to tokens, in place, some tokens at a time.

    Args:
        x: Contiguous tokens (B, N, C).
        normed: Tokens (B, N, C); may be ``x`` itself.
        weight_1: Weights of the first layer (C', C).
        bias_1: Its bias (C').
        weight_2: Weights of the second layer (C, C').
        bias_2: Its bias (C).
        gamma: Layer scale (C), or None.
    """
    for rows, part in _parts(x, normed):
        hidden = torch.mm(part, weight_1.t()).add_(bias_1)
        hidden = torch.ops.aten.gelu_(hidden)
        if gamma is None:
            _add_linear(rows, hidden, weight_2, bias_2)
        else:
            branch = torch.mm(hidden, weight_2.t()).add_(bias_2)
            rows.addcmul_(branch, gamma)


_LIBRARY = torch.library.Library('mmuniformer', 'FRAGMENT')
_LIBRARY.define(
    'add_mlp(Tensor(a!) x, Tensor normed, Tensor weight_1, Tensor bias_1, '
    'Tensor weight_2, Tensor bias_2, Tensor? gamma) -> ()'
)
_LIBRARY.impl('add_mlp', add_mlp_in_parts, 'CPU')
_LIBRARY.impl('add_mlp', lambda *_: None, 'Meta')
