"""The backbone in the hosts' registries, without `custom_imports`."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from .. import TINY

HOSTS = ['mmpretrain', 'mmdet', 'mmseg', 'mmpose', 'mmaction']


@pytest.fixture(scope='module')
def resolved():
    """The hosts that find the name, in a process that has not seen them."""
    hosts = [host for host in HOSTS if find_spec(host)]
    code = f"""
import traceback
from importlib import import_module
import mmuniformer  # the shims, where mmcv has no operators
from mmengine.registry import init_default_scope
for host in {hosts}:
    try:
        models = import_module(host + '.registry').MODELS
        init_default_scope(host)
        model = models.build(dict(type='mmuniformer.UniFormer', arch={TINY}))
        assert type(model).__module__ == 'mmuniformer.models.uniformer'
        print(host)
    except Exception:
        traceback.print_exc()
"""
    return subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True
    )


@pytest.mark.parametrize('host', HOSTS)
def test_scoped_name_resolves(host, resolved):
    if find_spec(host) is None:
        pytest.skip(f'{host} is not installed')
    assert host in resolved.stdout.split(), resolved.stderr


def test_our_registries_take_the_scope_too():
    """They import the host's module for the class, with either name."""
    pytest.importorskip('mmpretrain')
    from mmuniformer.registry import MODELS

    assert MODELS.get('LightClsHead') is MODELS.get('mmuniformer.LightClsHead')
