"""What the tools do around mmengine's Runner."""

from .label_check import LabelCheckHook
from .load_report import LoadReportHook
from .same_buffers import SameBuffersHook

__all__ = ['LabelCheckHook', 'LoadReportHook', 'SameBuffersHook']
