"""All hosts import on this stack, also in spawned workers."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mmuniformer

HOSTS = [
    host
    for host in ('mmdet', 'mmseg', 'mmpretrain', 'mmpose', 'mmaction')
    if importlib.util.find_spec(host)
]


def python(*args, path=''):
    """Runs a fresh interpreter on this package, returns what it printed."""
    root = Path(mmuniformer.__file__).parents[1]
    parts = [path, root, os.environ.get('PYTHONPATH', '')]
    path = os.pathsep.join(str(part) for part in parts if part)
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )
    return out.stdout + out.stderr


@pytest.fixture(scope='module')
def imports():
    """One interpreter for all hosts: each import takes seconds.

    None of them finds those behind it: none is to need another one. mmpose,
    which would, is the first.
    """
    return python(
        '-c',
        f"""
import importlib, sys, mmuniformer
hosts = sorted({HOSTS}, key='mmpose'.__ne__)
sys.modules.update(dict.fromkeys(hosts))  # not to be found
for host in hosts:
    del sys.modules[host]
    for part in ('models', 'datasets', 'evaluation', 'apis', 'utils'):
        try:
            importlib.import_module(host + '.' + part)
            print('imported', host, part)
        except Exception as error:
            print(host, part, repr(error))
""",
    )


@pytest.mark.parametrize('host', HOSTS)
def test_host_imports(imports, host):
    for part in ('models', 'datasets', 'evaluation', 'apis', 'utils'):
        assert f'imported {host} {part}\n' in imports, imports


@pytest.mark.skipif('mmaction' not in HOSTS, reason='needs mmaction2')
def test_drn_says_what_is_missing():
    from mmaction.models import localizers
    from mmaction.registry import MODELS

    if 'mmuniformer' not in localizers.DRN.__module__:
        pytest.skip('this mmaction2 is complete')
    with pytest.raises(NotImplementedError, match='mmaction2#2714'):
        MODELS.build(dict(type='DRN', _scope_='mmaction'))


CHILD = """
if __name__ == '__main__':
    from multiprocessing import get_context
    from mmuniformer.compat import for_tools
    for_tools.install()
    code = '__import__("sys").modules["%s"]._installed' % for_tools.__name__
    print(get_context('spawn').Pool(1).apply(eval, (code,)))
"""
WORKER = """
if __name__ == '__main__':
    import numpy as np
    from mmdet.structures.mask import BitmapMasks
    from torch.utils.data import DataLoader
    masks = [BitmapMasks(np.ones((1, 4, 4), np.uint8), 4, 4)]
    loader = DataLoader(
        masks, None, num_workers=1, multiprocessing_context='spawn')
    print('areas', [m.areas.item() for m in loader])
"""


@pytest.mark.skipif('mmdet' not in HOSTS, reason='needs mmdet')
def test_spawned_worker_of_a_program_that_does_not_know_us(tmp_path):
    """The start-up file alone brings the answers."""
    start_up = Path(mmuniformer.__file__).parent / 'compat/_startup.py'
    (tmp_path / 'sitecustomize.py').write_text(start_up.read_text())
    (tmp_path / 'main.py').write_text(WORKER)
    out = python(tmp_path / 'main.py', path=tmp_path)
    assert 'areas [16]' in out, out


def test_our_tools_carry_their_answers_to_spawned_workers(tmp_path):
    (tmp_path / 'main.py').write_text(CHILD)
    assert python(tmp_path / 'main.py') == 'True\n'
