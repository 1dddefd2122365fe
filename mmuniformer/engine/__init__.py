"""What the tools do around mmengine's Runner."""

from ..checks.label_check import LabelCheckHook
from ..weights.load_report import LoadReportHook
from .averaging import TogetherEMA
from .finite import FiniteHook
from .layer_decay import LayerDecay
from .loggers import LogTestHook
from .param_groups import MergedGroups, MergedGroupsHook
from .same_buffers import SameBuffersHook
from .short_keys import ShortKeysHook
from .speed import SpeedHook
from .start_from_raw import StartFromRawHook
from .stop import StopHook
from .waiting import WaitingHook
from .warmup_cosine import WarmupCosineLR

__all__ = [
    'FiniteHook',
    'LabelCheckHook',
    'LayerDecay',
    'LoadReportHook',
    'LogTestHook',
    'MergedGroups',
    'MergedGroupsHook',
    'SameBuffersHook',
    'ShortKeysHook',
    'SpeedHook',
    'StartFromRawHook',
    'StopHook',
    'TogetherEMA',
    'WaitingHook',
    'WarmupCosineLR',
]
