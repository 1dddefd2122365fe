"""Starts a process group on GPUs or, where there are none, on CPUs."""

import atexit
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import init_dist
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing

from ..errors import UserError
from . import heartbeat
from .agreement import same_config
from .heap import keep_freed_memory
from .patience import settle
from .runner import SafeRunner

DEVICES = Path('/dev')
TIMEOUT_SECONDS = 1800
# What torchrun says to each process.
ENVIRONMENT = ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT')
GUARDS = dict(finite='mmuniformer.FiniteHook', stop='mmuniformer.StopHook')


def prepare_processes(cfg: Config, launcher: str) -> None:
    """Makes a config run on what this machine has.

    mmengine's launchers take one GPU per process for granted. Without any
    accelerator the processes talk over gloo and the model is wrapped
    without a device.

    Args:
        cfg: Whole config; changed in place.
        launcher: 'none', or 'pytorch' under torchrun.

    Raises:
        UserError: More processes on this machine than GPUs, or GPUs that
            PyTorch cannot use.
    """
    check_driver()
    if cfg.get('randomness', {}).get('deterministic'):
        # cuBLAS asks for it, before its first product.
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    if (
        get_device() == 'cpu'
        and replace_sync_bn(cfg.model)
        and is_main_process()
    ):
        print_log(
            'no accelerator: SyncBN, which needs one, becomes BN; each '
            'process uses the statistics of its own images',
            logger='current',
        )
    if launcher == 'none':
        return
    lacks = [name for name in ENVIRONMENT if name not in os.environ]
    if lacks:
        raise UserError(
            f'--launcher {launcher}: {", ".join(lacks)} not in the '
            f'environment; start with tools/dist_train.sh or torchrun'
        )
    if get_device() != 'cpu':
        _check_gpu_count()
    else:
        # As mmengine wraps a model on GPUs, but for the device.
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel',
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )
    start_group(cfg.get('env_cfg', {}))
    atexit.register(_end_group)
    same_config(cfg)


def start_group(env_cfg: Any) -> None:
    """Starts the process group, as ``env_cfg`` has it.

    Args:
        env_cfg: That of a config; ``dist_cfg.timeout`` is the time in
            seconds that a process waits for another one.
    """
    dist_cfg = dict(env_cfg.get('dist_cfg', {}))
    timeout = dist_cfg.get('timeout', TIMEOUT_SECONDS)
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise UserError(
            f'env_cfg.dist_cfg.timeout={timeout!r}: wanted seconds'
        )
    heartbeat.begin()
    set_multi_processing(**env_cfg.get('mp_cfg', {}), distributed=True)
    if get_device() == 'cpu':
        limit = timedelta(seconds=timeout)
        dist.init_process_group(backend='gloo', timeout=limit)
    else:
        init_dist('pytorch', **{**dist_cfg, 'timeout': timeout})
    if sys.version_info < (3, 12) and hasattr(os, 'register_at_fork'):
        os.register_at_fork(before=settle)


def build_runner(cfg: Config, launcher: str) -> Runner:
    """The runner of a config, its processes prepared.

    Args:
        cfg: Whole config; changed in place.
        launcher: 'none', or 'pytorch' under torchrun.

    Raises:
        UserError: More processes on this machine than GPUs.
    """
    prepare_processes(cfg, launcher)
    add_hooks(cfg)
    keep_freed_memory()
    build = RUNNERS.build if 'runner_type' in cfg else SafeRunner.from_cfg
    return build(cfg)


def add_hooks(cfg: Config) -> None:
    """Gives a config that is not based on ours the hooks that guard a run.

    Args:
        cfg: Whole config; changed in place. ``finite=None`` or ``stop=None``
            in its ``default_hooks`` leaves out that one.
    """
    hooks = cfg.get('default_hooks') or {}
    for name, kind in GUARDS.items():
        if hooks.setdefault(name, dict(type=kind)) is None:
            del hooks[name]
    cfg.default_hooks = hooks


def replace_sync_bn(cfg: Any) -> bool:
    """Replaces SyncBN by BN in a model's config; whether there was any."""
    if isinstance(cfg, (list, tuple)):
        return any([replace_sync_bn(value) for value in cfg])
    if not isinstance(cfg, dict):
        return False
    found = cfg.get('type') == 'SyncBN'
    if found:
        cfg['type'] = 'BN'
    return any([replace_sync_bn(value) for value in cfg.values()]) or found


def check_driver() -> None:
    """Checks that PyTorch can use the NVIDIA cards of this machine.

    Raises:
        UserError: It cannot, and nobody has asked for the CPU.
    """
    hidden = os.environ.get('CUDA_VISIBLE_DEVICES')
    if get_device() != 'cpu' or hidden in ('', '-1'):
        return
    cards = sorted(DEVICES.glob('nvidia[0-9]*'))
    if not cards:
        return
    if torch.version.cuda is None:
        why = f'PyTorch {torch.__version__} is built without CUDA'
    else:
        try:
            torch.cuda.init()
            why = 'no card is visible'
        except (RuntimeError, AssertionError) as error:
            why = ' '.join(str(error).split())[:200]
        why = f'PyTorch {torch.__version__}, CUDA {torch.version.cuda}: {why}'
    raise UserError(
        f'{cards[0]} is there, but cannot be used ({why}); wanted a newer '
        f"driver, or a PyTorch that fits it; CUDA_VISIBLE_DEVICES='' runs on "
        f'the CPU'
    )


def _end_group() -> None:
    """Ends the threads of a group, which else abort a finished process."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _check_gpu_count() -> None:
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    gpus = torch.cuda.device_count()
    if torch.cuda.is_available() and processes > gpus:
        raise UserError(
            f'GPUS={processes}: this machine has {gpus}; wanted at most one '
            f'process per GPU'
        )


def is_main_process() -> bool:
    """Whether this process is the one that speaks; before any group is up."""
    return int(os.environ.get('RANK', 0)) == 0
