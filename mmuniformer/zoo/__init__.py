"""Models by name: what there is, building it with PyTorch and mmengine alone.

Names are those of the published files (``uniformer_small_in1k``), of configs
(``uniformer_s_16x4_k400``) or of a size (``uniformer_s``).
"""

from .create import create_model
from .names import list_models
from .transforms import create_transform

__all__ = ['create_model', 'create_transform', 'list_models']
