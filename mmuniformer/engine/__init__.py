"""What the tools do around mmengine's Runner."""

from .load_report import LoadReportHook

__all__ = ['LoadReportHook']
