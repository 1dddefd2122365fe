"""What PyTorch does with a call, by one name in all its versions."""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ..compat.old_torch import HAS_CUSTOM_OPS, cpu_autocast, is_compiling

__all__ = [
    'builds_graph',
    'cpu_autocast',
    'is_compiling',
    'is_eager',
    'is_exported',
    'takes_custom_code',
]


def takes_custom_code() -> bool:
    """Whether ``torch.compile`` runs and takes our operators and gradients.

    It does from PyTorch 2.4 on. Exported graphs, which other programs read,
    are to have standard operators only.
    """
    # Dynamo takes torch.compiler.is_exporting() for True, always.
    exports = getattr(torch.compiler, '_is_exporting_flag', False)
    return (
        HAS_CUSTOM_OPS and torch.compiler.is_dynamo_compiling() and not exports
    )


def builds_graph() -> bool:
    """Whether the call is compiled, exported or traced."""
    return is_compiling() or torch.jit.is_tracing()


def is_exported() -> bool:
    """Whether other programs will run the graph, at sizes of their own."""
    if torch.jit.is_tracing() or not is_compiling():
        return torch.jit.is_tracing()
    # Dynamo takes torch.compiler.is_exporting() for True, always.
    exports = getattr(torch.compiler, '_is_exporting_flag', False)
    return exports or not torch.compiler.is_dynamo_compiling()


def is_eager(x: Tensor) -> bool:
    """Whether kernels of PyTorch compute ``x`` now, and nothing is watching.

    Not so in graphs, for subclasses of tensors, on 'meta', under the
    transforms of ``torch.func`` and in forward-mode differentiation.
    """
    return not (
        builds_graph()
        or type(x) not in (Tensor, torch.nn.Parameter)
        or x.is_meta
        or forward_ad._current_level >= 0
        or torch._C._functorch.peek_interpreter_stack() is not None
    )
