"""The backbones."""

from .uniformer import UniFormer
from .uniformer_light import UniFormerLight

__all__ = ['UniFormer', 'UniFormerLight']
