"""What the processor computes by instructions of its own.

PyTorch's functions that say so have other names in each of its versions, and
``_is_mkldnn_bf16_supported`` is true, too, where AVX-512 imitates bfloat16 at
a fraction of the speed of float32.
"""

from functools import cache
from pathlib import Path

import torch

# As Linux writes them: of x86-64, and the last one of Arm.
BFLOAT16 = frozenset(('avx512_bf16', 'amx_bf16', 'bf16'))
VNNI = frozenset(('avx512_vnni', 'avx_vnni'))


def told(*keys: str) -> str | None:
    """What Linux tells of the first processor by one of several keys.

    Returns:
        '' if it does not tell; None where there is no /proc/cpuinfo.
    """
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(':')
        if key.strip() in keys:
            return value.strip()
    return ''


@cache
def flags() -> frozenset[str]:
    """Names of instruction sets; none where Linux does not tell them."""
    return frozenset((told('flags', 'Features') or '').split())


def has_bfloat16() -> bool:
    """Whether products of bfloat16 are faster than those of float32."""
    there = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return there and (not flags() or bool(flags() & BFLOAT16))


def has_integers() -> bool:
    """Whether there are instructions for products of int8 (x86-64)."""
    return bool(flags() & VNNI)
