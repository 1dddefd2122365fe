"""UniFormer as one registered backbone for every OpenMMLab 2.0 task.

Importing it has one side effect, which configs need: ``compat.install()`` and
``doors.install()`` register import hooks, which mend defects of the hosts and
have them load weights by our procedure when they are imported.
"""

from importlib import import_module
from typing import Any

from . import compat
from .weights import doors

__version__ = '0.2.0'
__all__ = [
    'Predictor',
    'UniFormer',
    'UniFormerLight',
    '__version__',
    'create_model',
    'create_transform',
    'fuse',
    'list_models',
    'predict',
]

compat.install()
doors.install()


def __getattr__(name: str) -> Any:
    """Imports the backbones, and with them torch, when they are asked for."""
    if name in ('predict', 'Predictor'):
        return getattr(import_module('.prediction', __name__), name)
    if name in ('create_model', 'create_transform', 'list_models'):
        return getattr(import_module('.zoo', __name__), name)
    if name in ('UniFormer', 'UniFormerLight', 'fuse'):
        return getattr(import_module('.models', __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
