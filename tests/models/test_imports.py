"""The core needs torch and mmengine, and no host library."""

import subprocess
import sys

import pytest

from .. import ROOT

HOSTS = (
    'mmcv',
    'mmdet',
    'mmseg',
    'mmpose',
    'mmpretrain',
    'mmaction',
    'timm',
    'torchvision',
)
CORE = ['registry'] + [
    f'{path.parent.name}.{path.stem}'.removesuffix('.__init__')
    for room in ('models', 'fast', 'weights')
    for path in sorted((ROOT / 'mmuniformer' / room).glob('*.py'))
]
# One process for all, since most of the time goes into importing torch: each
# module is imported by a child that has none of this package yet.
SCRIPT = f"""
import importlib, os, sys
import torch, mmengine.model, mmengine.registry, mmengine.logging
loaded = [name for name in {HOSTS} if name in sys.modules]
assert not loaded, loaded
for name in {HOSTS}:
    sys.modules[name] = None  # any import of it fails
for name in {CORE}:
    assert 'mmuniformer' not in sys.modules
    child = os.fork()
    if not child:
        try:
            importlib.import_module('mmuniformer.' + name)
            os._exit(0)
        except BaseException as error:
            print(name, repr(error))
            os._exit(1)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope='module')
def failures():
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize('name', CORE)
def test_core_module_imports_without_the_hosts(failures, name):
    lines = [x for x in failures.splitlines() if x.startswith(f'{name} ')]
    assert lines == []
