"""Where a number comes from: command, date, machine, versions."""

import json
import os
import platform
import shlex
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import __version__
from ..fast import processor

PACKAGES = (
    'torch', 'torchvision', 'numpy', 'mmengine', 'mmcv', 'mmcv-lite', 'mmdet',
    'mmsegmentation', 'mmpose', 'mmpretrain', 'mmaction2', 'timm',
)  # fmt: skip


def stamp() -> dict[str, Any]:
    """What a reader must know of a measurement that is made now."""
    return dict(
        command=shlex.join([_script(sys.argv[0]), *sys.argv[1:]]),
        date=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        machine=machine(),
        versions=versions(),
    )


def machine() -> dict[str, Any]:
    """Processor, cores, accelerators and system."""
    import torch

    gpus = torch.cuda.device_count()
    return dict(
        cpu=cpu_name(),
        cores=len(os.sched_getaffinity(0)),
        capability=torch.backends.cpu.get_cpu_capability(),
        gpus=[torch.cuda.get_device_name(i) for i in range(gpus)],
        system=f'{platform.system()} {platform.machine()}',
    )


def cpu_name() -> str:
    """The processor, as Linux names it."""
    name = processor.told('model name')
    if name is None:
        name = platform.processor()
    return name or platform.machine()


def versions() -> dict[str, str]:
    """Versions of Python and of what numbers depend on."""
    found = {'mmuniformer': __version__, 'python': platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def write(path: str | Path, results: dict[str, Any]) -> None:
    """Writes results behind the stamp, as JSON."""
    text = json.dumps({**stamp(), **results}, indent=1)
    Path(path).write_text(text + '\n')


def _script(path: str) -> str:
    """A script as one calls it from a clone."""
    place = Path(path).resolve()
    for parent in place.parents:
        if parent.name == 'tools':
            return place.relative_to(parent.parent).as_posix()
    return place.name
