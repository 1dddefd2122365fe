"""What the tools do around mmengine's Runner."""

from .label_check import LabelCheckHook
from .load_report import LoadReportHook
from .same_buffers import SameBuffersHook
from .warmup_cosine import WarmupCosineLR

__all__ = [
    'LabelCheckHook',
    'LoadReportHook',
    'SameBuffersHook',
    'WarmupCosineLR',
]
