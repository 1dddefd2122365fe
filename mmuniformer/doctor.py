"""``mmuniformer doctor``: what is installed, what is missing, what to do.

Each host is imported in a process of its own, so that one that breaks, or
takes the interpreter with it, does not hide the others.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Any

from . import __version__
from .tasks import TASKS

CORE = (
    'torch', 'torchvision', 'numpy', 'opencv-python', 'mmcv', 'mmcv-lite',
    'mmengine', 'timm', 'transformers', 'pycocotools', 'setuptools',
)  # fmt: skip
# Distributions that read videos; the first one that is there is taken.
READERS = {
    'torchcodec': 'torchcodec',
    'av': 'PyAV',
    'decord': 'decord',
    'opencv-python': 'OpenCV',
}
PROBE = """
import json, sys, warnings
warnings.filterwarnings('ignore')
import mmuniformer
from importlib import import_module
from mmengine.registry import init_default_scope
host = sys.argv[1]
for part in ('models', 'datasets', 'evaluation', 'visualization', 'apis'):
    import_module(f'{host}.{part}')
init_default_scope(host)
from mmengine.registry import MODELS
MODELS.build(dict(type='mmuniformer.UniFormer', arch='s'))
"""
NATIVE = """
import mmuniformer, mmcv.ops, mmcv._ext
print(mmcv._ext.__file__ or '')
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the report; status 1 if a task that is installed cannot run.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(
        prog='mmuniformer doctor',
        description='Say what is installed, what is missing, what to do.',
    )
    parser.add_argument('--task', choices=TASKS, help='this task alone')
    parser.add_argument('--json', action='store_true', help='print JSON')
    args = parser.parse_args(argv)
    tasks = [args.task] if args.task else list(TASKS)
    report = examine(tasks)
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        print('\n'.join(lines(report)))
    bad = [t for t in tasks if report['tasks'][t]['state'] == 'broken']
    missing = args.task and report['tasks'][args.task]['state'] != 'ready'
    sys.exit(1 if bad or missing else 0)


def examine(tasks: Sequence[str]) -> dict[str, Any]:
    """Everything that the report says, as plain data."""
    with ThreadPoolExecutor(2) as pool:
        states = dict(zip(tasks, pool.map(examine_task, tasks)))
    return dict(
        mmuniformer=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        versions={name: version(name) for name in CORE},
        accelerator=accelerator(),
        operators=operators(),
        readers=readers(),
        answers=answers(),
        shared_memory_gb=free_gb('/dev/shm'),
        disk_gb=free_gb('.'),
        compiler=next(filter(shutil.which, ('g++', 'clang++', 'c++')), ''),
        tasks=states,
    )


def examine_task(name: str) -> dict[str, str]:
    """State of a task, 'ready', 'absent' or 'broken', why, and what to do."""
    task = TASKS[name]
    install = f'pip install {task.install}'
    found = version(task.package) or version(f'onedl-{task.package}')
    if not found:
        return dict(
            state='absent', why=f'{task.package} is missing', todo=install
        )
    gone = [need for need in task.needs if not version(need)]
    if gone:
        why = f'{task.package} {found}, but without {", ".join(gone)}'
        return dict(
            state='broken', why=why, todo=f'pip install {" ".join(gone)}'
        )
    status, said = run_python(PROBE, task.host)
    if status:
        return dict(
            state='broken',
            why=f'{task.package} {found} does not import: {said}',
            todo=f'{install}  (or the tested set: make setup)',
        )
    return dict(state='ready', why=f'{task.package} {found}', todo='')


def run_python(code: str, *args: str) -> tuple[int, str]:
    """Exit status of a program and the last line that it printed."""
    done = subprocess.run(
        [sys.executable, '-c', code, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
    )
    return done.returncode, (done.stdout.strip().splitlines() or [''])[-1]


def readers() -> list[str]:
    """What opens videos, the one that ``reader='auto'`` takes first."""
    names = [say for name, say in READERS.items() if version(name)]
    if 'torchcodec' in names:
        failed, said = run_python('import torchcodec.decoders')
        if failed:  # other PyTorch, or no FFmpeg
            names.remove('torchcodec')
            names.append(f'not torchcodec, which does not load ({said[:80]})')
    return names


def version(package: str) -> str:
    """Version of an installed distribution, or ''."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ''


def accelerator() -> str:
    """What PyTorch computes on, and what keeps it from more."""
    try:
        import torch
    except ImportError as error:
        return f'none: {error}'
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        return f'{count} x {torch.cuda.get_device_name(0)}'
    if os.path.exists('/dev/nvidia0'):
        return (
            f'CPU, although there is an NVIDIA card: its driver is too old '
            f'for CUDA {torch.version.cuda}, or PyTorch is a CPU build'
        )
    return f'CPU, {torch.get_num_threads()} threads; {precisions()}'


def precisions() -> str:
    """Which precisions a processor computes sooner than float32."""
    from .fast.processor import has_bfloat16, has_integers

    has = {'bfloat16 (--half, --amp bf16)': has_bfloat16()}
    has['int8 (--int8)'] = has_integers()
    known = [name for name, there in has.items() if there]
    return f'sooner than float32: {", ".join(known) or "nothing"}'


def operators() -> str:
    """Where ``mmcv.ops`` come from."""
    if not version('mmcv') and not version('mmcv-lite'):
        return 'none: mmcv is missing'
    status, said = run_python(NATIVE)
    if status:
        return f'none: {said}'
    native = said.endswith(('.so', '.pyd'))
    return 'native (mmcv)' if native else "torchvision's, by mmuniformer"


def answers() -> list[str]:
    """Defects of this environment that ``compat`` answers."""
    status, said = run_python(ANSWERS)
    return json.loads(said) if status == 0 else [f'unknown: {said}']


ANSWERS = """
import json, logging, warnings
warnings.filterwarnings('ignore')
found = []
class Keep(logging.Handler):
    def emit(self, record):
        found.append(record.getMessage())
log = logging.getLogger('mmuniformer.compat')
log.setLevel(logging.DEBUG); log.propagate = False; log.addHandler(Keep())
import mmuniformer
from importlib import import_module
for name in ('mmcv.ops', 'mmengine.runner', 'mmpretrain.models',
             'mmdet.models', 'mmseg.datasets', 'mmpose.datasets',
             'mmaction.models'):
    try:
        import_module(name)
    except BaseException:
        pass
print(json.dumps(found))
"""


def free_gb(folder: str) -> float:
    """Free space where a folder is, in GB; 0 if there is no such folder."""
    try:
        return round(shutil.disk_usage(folder).free / 1e9, 1)
    except OSError:
        return 0.0


def lines(report: dict[str, Any]) -> list[str]:
    """The report for people."""
    found = {k: v for k, v in report['versions'].items() if v}
    out = [
        f'mmuniformer {report["mmuniformer"]}, Python {report["python"]}, '
        f'{report["platform"]}',
        '  ' + ', '.join(f'{k} {v}' for k, v in found.items()),
        f'device        {report["accelerator"]}',
        f'operators     {report["operators"]}',
        f'videos        {", ".join(report["readers"]) or "no reader"}',
        f'compiler      {report["compiler"] or "none: no --compile"}',
        f'free          {report["disk_gb"]} GB here, '
        f'{report["shared_memory_gb"]} GB shared memory (/dev/shm)',
    ]
    for name, task in report['tasks'].items():
        out.append(f'{name:14}{task["state"]}: {task["why"]}')
        if task['todo']:
            out.append(f'{"":14}{task["todo"]}')
    out.append('answers to defects of this environment:')
    out += [f'  {answer}' for answer in report['answers']] or ['  none']
    return out
