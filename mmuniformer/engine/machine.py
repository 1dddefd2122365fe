"""What a run needs of the machine: a folder to write, disk, shared memory."""

import logging
import os
import shutil
import tempfile
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..checks.loops import loader_fault
from ..errors import LocalUserError, UserError
from ..weights.load import bare_model
from . import lock

SHARED_MEMORY = '/dev/shm'
# What docker gives is 64 MiB, in which two workers of det have no room.
SHARED_BYTES = 128 << 20
UNITS = 'KMGT'
# Of a loader; PyTorch refuses them without workers.
NEED_WORKERS = 'persistent_workers', 'prefetch_factor', 'timeout'
# More than this per process seldom help.
MOST_WORKERS = 16


def check_work_dir(cfg: Config) -> None:
    """Checks that the run can write where it is to write.

    Args:
        cfg: Whole config.

    Raises:
        LocalUserError: The work dir, or a part of its path, is a file; or
            there is no right or no room to write in it.
        UserError: Another training writes there.
    """
    folder = cfg.work_dir
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b'0' * 4096)
            file.flush()
    except OSError as error:
        raise LocalUserError(
            f'work_dir={folder!r}: cannot be written ({error.strerror}); '
            f'wanted a folder with the right and the room to write: '
            f'--work-dir DIR'
        ) from error
    if os.environ.get('RANK', '0') == '0':
        lock.hold(folder)


def check_space(runner: Runner) -> None:
    """Checks that there is room for the checkpoints of a run.

    Args:
        runner: Before its training.

    Raises:
        UserError: There is not even room for two.
    """
    hooks = [x for x in runner.hooks if isinstance(x, CheckpointHook)]
    if not hooks:
        return
    folder = runner.work_dir
    one = checkpoint_bytes(runner)
    kept = max(hooks[0].max_keep_ckpts, 1)
    best = len(hooks[0].save_best or ())
    # A new one is there before the old one goes; the best have no optimizer.
    needed = one * (kept + 1) + best * weight_bytes(runner)
    free = shutil.disk_usage(folder).free
    text = (
        f'work_dir={folder!r}: {size(free)} are free; a checkpoint takes '
        f'{size(one)}, the run {size(needed)}'
    )
    if free < 2 * one:
        raise UserError(f'{text}; make room, or give another --work-dir')
    if free < needed:
        print_log(text, logger='current', level=logging.WARNING)


def fit_loader(loader: dict[str, Any], name: str = '') -> dict[str, Any]:
    """What a config says of a loader, for this machine.

    Args:
        loader: With ``num_workers``, 'auto' for a process's share of the
            processors, and ``pin_memory``, which without a GPU is left out.
            What PyTorch refuses without workers is left out where there are
            none.
        name: Its part of the config.

    Returns:
        A copy.

    Raises:
        UserError: ``num_workers`` or ``timeout`` is something else.
    """
    loader = loader.copy()
    dot = f'{name}.' if name else ''
    if loader.get('num_workers') == 'auto':
        loader['num_workers'] = auto_workers()
    workers = loader.get('num_workers', 0)
    fault = loader_fault(loader)
    if fault:
        raise UserError(f'{dot}{fault}')
    if not workers:
        for key in NEED_WORKERS:
            if loader.pop(key, None):
                text = f'{dot}{key}: left out, as num_workers=0'
                print_log(text, logger='current')
    if loader.get('pin_memory') and not torch.cuda.is_available():
        loader['pin_memory'] = False
    return loader


def auto_workers() -> int:
    """Workers for each process of this machine: one processor is its own.

    Those that Slurm or a container leave to the process count; of a
    container's quota only what it shows as processors.
    """
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', '1'))
    if hasattr(os, 'sched_getaffinity'):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return min(max(processors // max(processes, 1) - 1, 0), MOST_WORKERS)


def check_shared_memory(workers: int) -> None:
    """Warns if workers have no room to hand over what they have loaded.

    Args:
        workers: How many load data.
    """
    if not workers or not os.path.isdir(SHARED_MEMORY):
        return
    usage = shutil.disk_usage(SHARED_MEMORY)
    if usage.free < SHARED_BYTES:
        print_log(
            f'{SHARED_MEMORY}: {size(usage.free)} of {size(usage.total)} are '
            f'free, little for {workers} workers that load data; `docker run '
            f'--shm-size=8g` gives more, train_dataloader.num_workers=0 needs '
            f'none',
            logger='current',
            level=logging.WARNING,
        )


def weight_bytes(runner: Runner) -> int:
    """Bytes of a model's tensors."""
    state = bare_model(runner.model).state_dict().values()
    return sum(t.numel() * t.element_size() for t in state)


def checkpoint_bytes(runner: Runner) -> int:
    """Bytes of a checkpoint: weights, averages, state of the optimizer."""
    total = weight_bytes(runner)
    averaged = any(isinstance(x, EMAHook) for x in runner.hooks)
    wrapper: Any = runner.optim_wrapper
    optimizer = getattr(wrapper, 'optimizer', None)
    states = 1 if isinstance(optimizer, torch.optim.SGD) else 2
    trained = sum(
        p.numel() * p.element_size()
        for p in runner.model.parameters()
        if p.requires_grad
    )
    return total * (1 + averaged) + trained * states


def size(count: float) -> str:
    """Bytes for people."""
    for unit in UNITS:
        count /= 1024
        if count < 1000 or unit == UNITS[-1]:
            break
    return f'{count:.1f} {unit}iB'
