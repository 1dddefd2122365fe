"""Models by name: what there is, building it with PyTorch and mmengine alone.

Names are those of the published files (``uniformer_small_in1k``), of configs
(``uniformer_s_16x4_k400``) or of a size (``uniformer_s``).
"""

from .names import list_models

__all__ = ['list_models']
