"""Less memory in training: what is cheap to compute is not kept.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
"""

from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .graphs import builds_graph, is_eager
from .products import linear


def applies(x: Tensor) -> bool:
    """Whether an MLP of ``x`` is to be computed by :func:`mlp`.

    Compilers decide by themselves what they keep.
    """
    return torch.is_grad_enabled() and is_eager(x)


def mlp(module: Any, x: Tensor) -> Tensor:
    """``Mlp.forward`` without the output of GELU kept for the backward pass.

    It is the largest tensor of a training step, and it is computed again from
    the input of GELU, which is kept in any case.
    """
    hidden = linear(module.fc1, x)
    if not hidden.requires_grad:
        return linear(module.fc2, F.gelu(hidden))
    hidden = _Kept.apply(hidden)
    node = hidden.grad_fn
    hidden = F.gelu(hidden)
    place, size = hidden.data_ptr(), hidden.numel()

    def pack(kept: Tensor) -> Any:
        if kept.data_ptr() != place or kept.numel() != size:
            return kept
        return kept.size(), kept.stride()

    def unpack(packed: Any) -> Tensor:
        if isinstance(packed, Tensor):
            return packed
        with torch.no_grad():
            return F.gelu(*node.saved_tensors).as_strided(*packed)

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        return linear(module.fc2, hidden)


class _Kept(torch.autograd.Function):
    """Gives a tensor as it is, and keeps it under the hooks from outside.

    The recomputation of a block gives each kept tensor out once, so that the
    one that GELU keeps cannot be asked for.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        # Not `view_as`, which changes the strides of a batch of one.
        return x.detach()

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, grad: Tensor
    ) -> Tensor:
        return grad


def block(module: nn.Module, x: Any) -> Any:
    """A block that is computed again in the backward pass.

    BatchNorm takes the statistics of the first pass alone, so that its
    running means are those of training without recomputation.
    """
    if builds_graph():
        return checkpoint(module, x, use_reentrant=False)
    return checkpoint(
        module,
        x,
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), StillStatistics(module)),
    )


class StillStatistics:
    """A context in which buffers change in copies: running means stay.

    Args:
        module: Where the buffers are.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.buffers: list[tuple[nn.Module, dict[str, Any]]] = []

    def __enter__(self) -> None:
        for module in self.module.modules():
            own = module._buffers
            self.buffers.append((module, dict(own)))
            for name, value in own.items():
                own[name] = None if value is None else value.clone()

    def __exit__(self, *_: Any) -> None:
        while self.buffers:
            module, own = self.buffers.pop()
            module._buffers.update(own)
