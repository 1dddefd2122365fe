"""Loaders fit the machine; the log says who waits."""

import os
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from mmuniformer.engine import machine
from mmuniformer.engine.waiting import WaitingHook
from mmuniformer.errors import UserError

from .. import ROOT
from ..configs.common import load

RECIPES = sorted(
    (path.parent.name, path.stem)
    for path in (ROOT / 'configs').glob('[a-z]*/*.py')
    if path.parent.name not in ('_base_', 'pure_python')
)


def run(waited, whole, kind=EpochBasedTrainLoop, steps=4, **kwargs):
    """What the hook logs of a training with such times."""
    hub = MessageHub(f'waiting_{id(kwargs)}')
    loop = object.__new__(kind)
    said = []
    runner = SimpleNamespace(
        message_hub=hub,
        train_loop=loop,
        iter=0,
        train_dataloader=SimpleNamespace(num_workers=2),
    )
    hook = WaitingHook(**kwargs)
    for place in range(steps):
        hub.update_scalar('train/data_time', waited if place else 1e3)
        hub.update_scalar('train/time', whole if place else 1e3)
        hook.after_train_iter(runner, place)
        runner.iter += 1
    return hook, runner, said


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(
        'mmuniformer.engine.waiting.print_log',
        lambda text, **kwargs: found.append(text),
    )
    return found


def test_a_share_per_epoch_without_the_start(lines):
    hook, runner, _ = run(0.1, 0.5)
    assert not lines
    hook.after_train_epoch(runner)
    assert lines == ['waited for data: 20% of the time']
    hook.after_train_epoch(runner)
    assert len(lines) == 1


def test_advice_above_a_third(lines):
    hook, runner, _ = run(0.4, 0.5)
    hook.after_train_epoch(runner)
    (line,) = lines
    assert line.startswith('waited for data: 80% of the time; what helps: ')
    assert 'num_workers (2 now)' in line


def test_iterations_without_epochs(lines):
    run(0.1, 0.5, IterBasedTrainLoop, steps=7, interval=3)
    assert lines == ['waited for data: 20% of the time'] * 2


def test_bad_interval():
    with pytest.raises(UserError, match='interval=0: wanted'):
        WaitingHook(0)


@pytest.mark.parametrize(('task', 'name'), RECIPES[::7])
def test_recipes_pin_memory_and_say_who_waits(task, name):
    cfg = load(task, name)
    for split in ('train', 'val', 'test'):
        assert cfg[f'{split}_dataloader'].pin_memory is True
    assert cfg.default_hooks.waiting.type == 'mmuniformer.WaitingHook'


def test_workers_for_the_machine(monkeypatch):
    monkeypatch.setattr(
        os, 'sched_getaffinity', lambda pid: range(12), raising=False
    )
    for processes, wanted in ((1, 11), (2, 5), (4, 2), (12, 0), (20, 0)):
        monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
        loader = dict(num_workers='auto', persistent_workers=True)
        found = machine.fit_loader(loader)
        assert found['num_workers'] == wanted
        assert found.get('persistent_workers', False) is (wanted > 0)
        assert loader['num_workers'] == 'auto'
    for wrong in ('many', -1, 2.5, True):
        with pytest.raises(
            UserError, match=r'num_workers=.*wanted a whole number'
        ):
            machine.fit_loader(dict(num_workers=wrong))


def test_loaders_without_workers():
    loader = dict(
        num_workers=0, persistent_workers=True, prefetch_factor=2, timeout=9
    )
    assert machine.fit_loader(loader) == dict(num_workers=0)
    loader['num_workers'] = 2
    assert machine.fit_loader(loader) == loader


@pytest.mark.parametrize('gpu', [True, False])
def test_memory_is_pinned_for_gpus(monkeypatch, gpu):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    loader = dict(num_workers=1, pin_memory=True)
    assert machine.fit_loader(loader)['pin_memory'] is gpu
