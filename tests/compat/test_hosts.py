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


def python(*args):
    """Runs a fresh interpreter on this package, returns what it printed."""
    root = Path(mmuniformer.__file__).parents[1]
    path = f'{root}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )
    return out.stdout + out.stderr


@pytest.fixture(scope='module')
def imports():
    """One interpreter for all hosts: each import takes seconds."""
    return python(
        '-c',
        f"""
import importlib, mmuniformer
for host in {HOSTS}:
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


WORKER = """
if __name__ == '__main__':
    import sys
    from mmengine import Config
    Config.fromfile(sys.argv[1])
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
    """The config alone brings the shims, as in a host's tools/train.py."""
    (tmp_path / 'main.py').write_text(WORKER)
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['mmuniformer.compat'])"
    )
    out = python(tmp_path / 'main.py', tmp_path / 'config.py')
    assert 'areas [16]' in out, out
