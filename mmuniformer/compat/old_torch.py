"""What PyTorch 2.1 to 2.5 lack or spell otherwise, by one name in all.

Each line goes when the version named beside it is the oldest that is left.
Reading weight files before 2.6 is in ``restricted_pickle``.
"""

from typing import Any

import torch

if hasattr(torch.compiler, 'is_compiling'):  # PyTorch 2.2
    is_compiling = torch.compiler.is_compiling
else:
    from torch._dynamo import is_compiling  # noqa: F401

# Whether torch.compile takes operators and gradients of ours: PyTorch 2.4.
HAS_CUSTOM_OPS = hasattr(torch.library, 'custom_op')

# On a CPU, a newer operator than torch.utils.flop_counter knows: PyTorch 2.2.
CPU_ATTENTION: list[Any] = [
    getattr(torch.ops.aten, name)
    for name in ('_scaled_dot_product_flash_attention_for_cpu',)
    if hasattr(torch.ops.aten, name)
]


def cpu_autocast() -> bool:
    """Whether layers choose their dtype by themselves on the CPU."""
    return autocast_dtype('cpu') is not None


def autocast_dtype(kind: str) -> torch.dtype | None:
    """The dtype that layers choose by themselves; None if they do not.

    Args:
        kind: 'cpu' or 'cuda'.
    """
    if hasattr(torch, 'get_autocast_dtype'):  # PyTorch 2.4
        on = torch.is_autocast_enabled(kind)
        return torch.get_autocast_dtype(kind) if on else None
    if kind == 'cpu':
        on = torch.is_autocast_cpu_enabled()
        return torch.get_autocast_cpu_dtype() if on else None
    on = torch.is_autocast_enabled()
    return torch.get_autocast_gpu_dtype() if on else None


def prepare_freezing(frozen: bool) -> None:
    """Says before ``torch.compile`` whether weights become constants.

    Otherwise they come in as arguments, and nothing is frozen.
    """
    config: Any = torch._dynamo.config
    if hasattr(config, 'prepare_freezing'):  # PyTorch 2.5
        config.prepare_freezing = frozen
