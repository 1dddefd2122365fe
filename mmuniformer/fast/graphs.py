"""What PyTorch does with a call, by one name in all its versions."""

import torch

if hasattr(torch.compiler, 'is_compiling'):
    is_compiling = torch.compiler.is_compiling
else:  # PyTorch 2.1
    from torch._dynamo import is_compiling


def takes_custom_code() -> bool:
    """Whether ``torch.compile`` runs and takes our operators and gradients.

    ``torch.export``, which by default runs no Dynamo, is to have standard
    operators only; ``torch.compile`` takes ours from PyTorch 2.4 on.
    """
    return (
        hasattr(torch.library, 'custom_op')
        and torch.compiler.is_dynamo_compiling()
    )


def builds_graph() -> bool:
    """Whether the call is compiled, exported or traced."""
    return is_compiling() or torch.jit.is_tracing()


def cpu_autocast() -> bool:
    """Whether layers choose their dtype by themselves on the CPU."""
    if hasattr(torch, 'get_autocast_dtype'):  # PyTorch 2.4
        return torch.is_autocast_enabled('cpu')
    return torch.is_autocast_cpu_enabled()
