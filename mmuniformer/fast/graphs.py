"""What PyTorch does with a call, by one name in all its versions."""

import torch

from ..compat.old_torch import HAS_CUSTOM_OPS, cpu_autocast, is_compiling

__all__ = ['builds_graph', 'cpu_autocast', 'is_compiling', 'takes_custom_code']


def takes_custom_code() -> bool:
    """Whether ``torch.compile`` runs and takes our operators and gradients.

    ``torch.export``, which by default runs no Dynamo, is to have standard
    operators only; ``torch.compile`` takes ours from PyTorch 2.4 on.
    """
    return HAS_CUSTOM_OPS and torch.compiler.is_dynamo_compiling()


def builds_graph() -> bool:
    """Whether the call is compiled, exported or traced."""
    return is_compiling() or torch.jit.is_tracing()
