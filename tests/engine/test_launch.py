"""Processes and devices."""

import pytest
import torch

from mmuniformer.engine import launch
from mmuniformer.errors import UserError


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '8')
    with pytest.raises(UserError, match='GPUS=8: this machine has 1'):
        launch.prepare_processes({}, 'pytorch')


def test_only_the_first_process_speaks(monkeypatch):
    monkeypatch.setenv('RANK', '1')
    assert not launch.is_main_process()
