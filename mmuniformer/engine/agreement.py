"""All processes of a run have the same config, data, file and weights."""

import contextlib
import os
import socket
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import (
    all_gather_object,
    broadcast_object_list,
    get_rank,
    get_world_size,
)
from mmengine.logging import print_log
from torch import nn

from ..errors import LocalUserError
from ..weights import files

# Settings that may differ between machines, as where the data lies.
LOCAL_KEYS = ('work_dir', 'filename', 'text', 'data_root', 'gpu_ids')


def same_config(cfg: Config) -> None:
    """Checks that all processes were started with the same config.

    Paths may differ.

    Args:
        cfg: Whole config.

    Raises:
        LocalUserError: On every process, with the settings that differ.
    """
    if get_world_size() == 1:
        return
    own = dict(flatten(cfg.to_dict()))
    digest = zlib.crc32(repr(sorted(own.items())).encode())
    if len(set(all_gather_object(digest))) == 1:
        return
    every = all_gather_object(own)
    keys = sorted({key for one in every for key in one})
    differ = [
        key
        for key in keys
        if len({one.get(key, 'nothing') for one in every}) > 1
    ]
    if differ:
        lines = [
            f'{key}: {by_rank([one.get(key, "nothing") for one in every])}'
            for key in differ
        ]
        raise LocalUserError(
            f'the config differs between processes: '
            f'{files.brief(lines, 6)}; wanted the same everywhere'
        )


def flatten(value: Any, name: str = '') -> Iterator[tuple[str, str]]:
    """The settings of a config by dotted name, without paths."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in LOCAL_KEYS:
                yield from flatten(inner, f'{name}.{key}' if name else key)
    elif isinstance(value, (list, tuple)):
        for key, inner in enumerate(value):
            yield from flatten(inner, f'{name}.{key}')
    elif not (isinstance(value, str) and os.sep in value):
        yield name, repr(value)


def same(what: str, value: Any, wanted: str) -> None:
    """Checks that something is the same on all processes.

    Args:
        what: Its name for people.
        value: That of this process; compared by ``repr``.
        wanted: What to do if it is not.

    Raises:
        LocalUserError: On every process.
    """
    if get_world_size() == 1:
        return
    every = [repr(one) for one in all_gather_object(value)]
    if len(set(every)) > 1:
        raise LocalUserError(
            f'{what} differs between processes: {by_rank(every)}; {wanted}'
        )


def by_rank(values: list[str]) -> str:
    """Values and the processes that have them, in one line."""
    ranks: dict[str, list[int]] = {}
    for rank, value in enumerate(values):
        ranks.setdefault(value, []).append(rank)
    return ', '.join(
        f'{value} on rank {_few(numbers)}' for value, numbers in ranks.items()
    )


def _few(numbers: list[int]) -> str:
    text = ' '.join(map(str, numbers[:4]))
    return f'{text} and {len(numbers) - 4} more' * (len(numbers) > 4) or text


def same_file(path: Path) -> None:
    """Checks that all processes see a file, of the same size.

    Raises:
        LocalUserError: On every process; two nodes without a shared folder.
    """
    size = path.stat().st_size if path.is_file() else 'no such file'
    same(
        f'checkpoint={str(path)!r} ({socket.gethostname()})',
        size,
        'wanted a work dir that all nodes share, or the same file on each',
    )


def shares_folder() -> bool:
    """Whether all processes work in one folder, or in copies of it."""
    name = ['']
    with contextlib.ExitStack() as stack:
        if get_rank() == 0:
            with contextlib.suppress(OSError):
                file = tempfile.NamedTemporaryFile(prefix='.seen_', dir='.')
                name = [os.path.basename(stack.enter_context(file).name)]
        broadcast_object_list(name)
        seen = bool(name[0]) and os.path.exists(name[0])
        return all(all_gather_object(seen))


def collect_results(evaluator: Any) -> None:
    """Has metrics collect their results where all processes can.

    By default mmengine writes them into the working folder, where the first
    process looks for those of all.

    Args:
        evaluator: That of a loop.
    """
    local = int(os.environ.get('LOCAL_WORLD_SIZE', get_world_size()))
    if local == get_world_size() or shares_folder():
        return
    for metric in getattr(evaluator, 'metrics', ()):
        own = getattr(metric, 'collect_dir', '')
        if getattr(metric, 'collect_device', '') == 'cpu' and own is None:
            metric.collect_device = 'gpu'  # by the group, whatever it is
    print_log(
        'the nodes have no working folder in common: results of validations '
        'and tests are collected over the network',
        logger='current',
    )


def checksum(model: nn.Module) -> int:
    """A number that is another one if any bit of a model is."""
    total = 0
    for name, value in model.state_dict().items():
        total = zlib.crc32(name.encode(), total)
        data = value.detach().cpu().contiguous().reshape(-1)
        total = zlib.crc32(data.view(torch.uint8).numpy(), total)
    return total


def same_weights(model: nn.Module, where: str) -> None:
    """Checks that training begins with the same weights everywhere.

    Args:
        model: Without wrappers.
        where: What has been loaded, for people.

    Raises:
        LocalUserError: On every process.
    """
    if get_world_size() > 1:
        same(
            f'the checksum of the weights after {where}',
            checksum(model),
            'wanted the same weight files and versions on all nodes',
        )
