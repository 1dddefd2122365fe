"""Which hook acts before which, and what a few small ones do."""

from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.runner import Runner
from torch import nn

from mmuniformer.engine import (
    FiniteHook,
    LoadReportHook,
    SameBuffersHook,
    SpeedHook,
    StartFromRawHook,
    StopHook,
    same_buffers,
)

ORDER = [
    (StartFromRawHook, LoadReportHook),
    (LoadReportHook, EMAHook),
    (FiniteHook, EMAHook),
    (EMAHook, SameBuffersHook),
    (EMAHook, SpeedHook),
    (CheckpointHook, StopHook),
]


@pytest.mark.parametrize(
    'first, second', ORDER, ids=lambda kind: kind.__name__
)
def test_order_does_not_depend_on_the_config(first, second):
    """Of two hooks of one priority the first in the config would be first."""
    runner = Runner.__new__(Runner)
    runner._hooks = []
    for kind in (second, first):
        runner.register_hook(kind())
    assert [type(hook) for hook in runner.hooks] == [first, second]


def test_validation_has_the_statistics_of_the_first_process(monkeypatch):
    sent = []
    monkeypatch.setattr(
        same_buffers,
        'broadcast',
        lambda value, rank: sent.append((value, rank)),
    )
    own = nn.BatchNorm2d(4, track_running_stats=False)
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm3d(4), own)
    SameBuffersHook().before_val_epoch(SimpleNamespace(model=model))
    wanted = [
        getattr(layer, name)
        for layer in model[:2]
        for name in ('running_mean', 'running_var')
    ]
    assert [id(value) for value, _ in sent] == list(map(id, wanted))
    assert {rank for _, rank in sent} == {0}
