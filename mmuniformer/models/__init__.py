"""The backbones: arch, tokens, layers, blocks, uniformer, uniformer_light.

Importing this package imports none of them: ``weights`` and ``fast`` stand on
the lower ones, the upper ones on those two.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    'UniFormer': '.uniformer',
    'UniFormerLight': '.uniformer_light',
    'fuse': '..fast.fusion',
}
__all__ = ['UniFormer', 'UniFormerLight', 'fuse']


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
