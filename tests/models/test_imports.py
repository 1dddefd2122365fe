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
# One process for all, since most of the time goes into importing torch and its
# compiler: each module is imported by a child that has none of this package.
SCRIPT = f"""
import importlib, os, sys, threading, warnings
import torch._dynamo, mmengine.model, mmengine.registry, mmengine.logging
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


def state():
    found = dict(os.environ), list(sys.path), list(sys.path_hooks)
    return *found, list(warnings.filters), threading.active_count()


before, finders = state(), list(sys.meta_path)
import mmuniformer
new = [type(f).__name__ for f in sys.meta_path if f not in finders]
if state() != before or new != ['_Around', '_Missing']:
    print('package', new)
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


def test_the_package_registers_import_hooks_and_does_no_more(failures):
    assert 'package' not in failures


@pytest.mark.parametrize('name', CORE)
def test_core_module_imports_without_the_hosts(failures, name):
    lines = [x for x in failures.splitlines() if x.startswith(f'{name} ')]
    assert lines == []
