"""Processes and devices."""

import os
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config

from mmuniformer.engine import ending, launch
from mmuniformer.errors import UserError


def as_torchrun(monkeypatch):
    for name in launch.ENVIRONMENT:
        monkeypatch.setenv(name, '1')


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    as_torchrun(monkeypatch)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '8')
    with pytest.raises(UserError, match='GPUS=8: this machine has 1'):
        launch.prepare_processes(Config(dict(model={})), 'pytorch')


def test_a_launcher_that_was_not_there(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    cfg = Config(dict(model=dict()))
    with pytest.raises(UserError, match=r'RANK.* not in the env'):
        launch.prepare_processes(cfg, 'pytorch')


def test_only_the_first_process_speaks(monkeypatch):
    monkeypatch.setenv('RANK', '1')
    assert not launch.is_main_process()


LEAVE = """
import atexit
import torch.distributed as dist
from mmengine.config import Config
from mmuniformer.engine.launch import prepare_processes

atexit.register(lambda: print('left with a group:', dist.is_initialized()))
cfg = Config(dict(model={}))
prepare_processes(cfg, 'pytorch')
print('has a group:', dist.is_initialized())
print(cfg.model_wrapper_cfg.broadcast_buffers)
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason='of CPUs')
def test_a_group_of_cpus_ends_before_its_process():
    """What is left to the end of the process aborts one run in ten."""
    group = dict(RANK='0', WORLD_SIZE='1', MASTER_PORT='0')
    done = subprocess.run(
        [sys.executable, '-c', LEAVE],
        env=dict(os.environ, MASTER_ADDR='127.0.0.1', **group),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split('\n')[:3] == [
        'has a group: True',
        'False',
        'left with a group: False',
    ]


@pytest.mark.parametrize('cuda', [None, '12.8'])
def test_a_card_that_pytorch_cannot_use(monkeypatch, tmp_path, cuda):
    """The files of the driver are there, and PyTorch sees no card."""
    (tmp_path / 'nvidia0').touch()
    (tmp_path / 'nvidiactl').touch()

    def init():
        raise RuntimeError('The NVIDIA driver on your system is too old')

    monkeypatch.setattr(launch, 'DEVICES', tmp_path)
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(torch.version, 'cuda', cuda)
    monkeypatch.setattr(torch.cuda, 'init', init)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    reason = 'too old' if cuda else 'without CUDA'
    with pytest.raises(UserError, match=f'nvidia0 .*{reason}') as error:
        launch.prepare_processes(Config(dict(model={})), 'none')
    assert "CUDA_VISIBLE_DEVICES=''" in str(error.value)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    launch.prepare_processes(Config(dict(model={})), 'none')


def test_a_machine_without_cards_is_fine(monkeypatch, tmp_path):
    monkeypatch.setattr(launch, 'DEVICES', tmp_path)
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    launch.prepare_processes(Config(dict(model={})), 'none')


def test_the_time_limit_holds_on_cpus_too(monkeypatch):
    seen = {}
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(
        launch.dist, 'init_process_group', lambda **kwargs: seen.update(kwargs)
    )
    launch.start_group(dict(dist_cfg=dict(backend='nccl', timeout=77)))
    assert seen['timeout'].total_seconds() == 77 and seen['backend'] == 'gloo'


@pytest.mark.parametrize('timeout', ['30', True, None])
def test_a_time_limit_that_is_none(timeout):
    env = dict(dist_cfg=dict(timeout=timeout))
    with pytest.raises(UserError, match='wanted seconds'):
        launch.start_group(env)


HEADS = dict(
    decode_head=dict(norm_cfg=dict(type='SyncBN', requires_grad=True)),
    bbox_head=[dict(norm_cfg=dict(type='SyncBN')), dict(norm_cfg=None)],
    backbone=dict(norm_cfg=dict(type='BN'), stems=('conv', 'conv')),
)


@pytest.mark.parametrize('device, wanted', [('cpu', 'BN'), ('cuda', 'SyncBN')])
def test_batch_norms_are_synced_on_accelerators_only(
    monkeypatch, device, wanted
):
    monkeypatch.setattr(launch, 'get_device', lambda: device)
    cfg = Config(dict(model=dict(type='SegTTAModel', module=HEADS)))
    launch.prepare_processes(cfg, 'none')
    heads = cfg.model.module
    assert heads.decode_head.norm_cfg == dict(type=wanted, requires_grad=True)
    assert heads.bbox_head[0].norm_cfg.type == wanted


@pytest.mark.parametrize(
    'own, wanted',
    [
        ({}, ['finite', 'stop']),
        (dict(default_hooks=None), ['finite', 'stop']),
        (dict(default_hooks=dict(finite=None)), ['stop']),
    ],
)
def test_any_config_has_the_guards(own, wanted):
    cfg = Config(own)
    launch.add_hooks(cfg)
    assert sorted(cfg.default_hooks) == wanted


def test_what_becomes_of_sync_bn_is_said_once(monkeypatch):
    said = []
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(launch, 'print_log', lambda *a, **_: said.extend(a))
    cfg = Config(dict(model=HEADS))
    launch.prepare_processes(cfg, 'none')
    launch.prepare_processes(cfg, 'none')
    assert len(said) == 1 and 'SyncBN' in said[0]


@pytest.mark.parametrize('given', [False, True])
def test_unused_parameters_are_looked_for_if_the_config_says_so(
    monkeypatch, given
):
    for name in ('check_driver', 'start_group', 'same_config'):
        monkeypatch.setattr(launch, name, lambda *_: None)
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(launch.atexit, 'register', lambda _: None)
    as_torchrun(monkeypatch)
    cfg = Config(dict(model={}))
    if given:
        cfg.find_unused_parameters = True
    launch.prepare_processes(cfg, 'pytorch')
    wrapper = cfg.model_wrapper_cfg
    assert wrapper.find_unused_parameters is given
    assert wrapper.broadcast_buffers is False


@pytest.mark.parametrize('wanted', [True, False])
def test_products_are_deterministic_where_it_is_asked_for(monkeypatch, wanted):
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    name = 'CUBLAS_WORKSPACE_CONFIG'
    monkeypatch.setenv(name, '')
    monkeypatch.delenv(name)
    cfg = Config(dict(model={}, randomness=dict(deterministic=wanted)))
    launch.prepare_processes(cfg, 'none')
    assert (name in os.environ) == wanted


def test_what_is_not_deterministic_is_said_in_one_line():
    error = RuntimeError(
        'nll_loss2d_forward_out_cuda_template does not have a deterministic '
        "implementation, but you set 'torch.use_deterministic_algorithms"
    )
    said = ending.explain(error)
    assert said and 'deterministic=True: nll_loss2d_forward' in said
