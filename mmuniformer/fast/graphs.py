"""What PyTorch does with a call, by one name in all its versions."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from ..compat.old_torch import HAS_CUSTOM_OPS, cpu_autocast, is_compiling

__all__ = [
    'assume_constant_result',
    'builds_graph',
    'cpu_autocast',
    'is_compiling',
    'is_eager',
    'is_exported',
    'is_plain',
    'takes_custom_code',
]

HOOKS = (
    '_forward_hooks',
    '_forward_pre_hooks',
    '_backward_hooks',
    '_backward_pre_hooks',
)
assume_constant_result = torch.compiler.assume_constant_result


def is_plain(module: Any) -> bool:
    """Whether a module is nothing but its code and weights."""
    own = vars(module)
    if 'forward' in own or any(own[name] for name in HOOKS):
        return False
    for value in own['_parameters'].values():
        if value is not None and type(value) not in (nn.Parameter, Tensor):
            return False
    return all(map(is_plain, own['_modules'].values()))


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
