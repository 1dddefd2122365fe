"""What PyTorch does with a call, by one name in all its versions."""

import torch

if hasattr(torch.compiler, 'is_dynamo_compiling'):
    is_compiling = torch.compiler.is_compiling
    is_dynamo_compiling = torch.compiler.is_dynamo_compiling
else:  # PyTorch 2.1
    from torch._dynamo import is_compiling

    is_dynamo_compiling = is_compiling


def builds_graph() -> bool:
    """Whether the call is compiled, exported or traced."""
    return is_compiling() or torch.jit.is_tracing()


def cpu_autocast() -> bool:
    """Whether layers choose their dtype by themselves on the CPU."""
    if hasattr(torch, 'get_autocast_dtype'):  # PyTorch 2.4
        return torch.is_autocast_enabled('cpu')
    return torch.is_autocast_cpu_enabled()
