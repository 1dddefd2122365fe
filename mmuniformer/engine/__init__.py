"""What the tools do around mmengine's Runner."""

from ..checks.label_check import LabelCheckHook
from ..weights.load_report import LoadReportHook
from .same_buffers import SameBuffersHook
from .speed import SpeedHook
from .warmup_cosine import WarmupCosineLR

__all__ = [
    'LabelCheckHook',
    'LoadReportHook',
    'SameBuffersHook',
    'SpeedHook',
    'WarmupCosineLR',
]
