"""The backbones."""

from ..fast.fusion import fuse
from .uniformer import UniFormer
from .uniformer_light import UniFormerLight

__all__ = ['UniFormer', 'UniFormerLight', 'fuse']
