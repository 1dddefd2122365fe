"""Starts a process group on GPUs or, where there are none, on CPUs."""

import atexit
import ctypes
import os
import signal
import sys
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from ..errors import UserError
from .runner import SafeRunner
from .speed import keep_freed_memory

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def prepare_processes(cfg: Config, launcher: str) -> None:
    """Makes a config run on what this machine has.

    mmengine's launchers take one GPU per process for granted. Without any
    accelerator the processes talk over gloo and the model is wrapped
    without a device.

    Args:
        cfg: Whole config; changed in place.
        launcher: 'none', or 'pytorch' under torchrun.

    Raises:
        UserError: More processes on this machine than GPUs.
    """
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
    _die_with_launcher()
    if get_device() != 'cpu':
        _check_gpu_count()
        return
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None
    )
    if cfg.get('find_unused_parameters', False):
        cfg.model_wrapper_cfg.find_unused_parameters = True
    dist.init_process_group(backend='gloo')
    atexit.register(_end_group)


def build_runner(cfg: Config, launcher: str) -> Runner:
    """The runner of a config, its processes prepared.

    Args:
        cfg: Whole config; changed in place.
        launcher: 'none', or 'pytorch' under torchrun.

    Raises:
        UserError: More processes on this machine than GPUs.
    """
    prepare_processes(cfg, launcher)
    keep_freed_memory()
    build = RUNNERS.build if 'runner_type' in cfg else SafeRunner.from_cfg
    return build(cfg)


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


def _die_with_launcher() -> None:
    """Has Linux end this process when torchrun is killed.

    Orphans would hold the GPUs and write into the work dir.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_group() -> None:
    """Ends gloo's threads, which else abort a finished process at times."""
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
