"""The backbone in the hosts' registries, without `custom_imports`."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from .. import TINY

HOSTS = ['mmpretrain', 'mmdet', 'mmseg', 'mmpose', 'mmaction']


@pytest.mark.parametrize('host', HOSTS)
def test_scoped_name_resolves(host):
    if find_spec(host) is None:
        pytest.skip(f'{host} is not installed')
    code = f"""
import mmuniformer  # the shims, where mmcv has no operators
from mmengine.registry import init_default_scope
from {host}.registry import MODELS
init_default_scope('{host}')
model = MODELS.build(dict(type='mmuniformer.UniFormer', arch={TINY}))
assert type(model).__module__ == 'mmuniformer.models.uniformer'
"""
    subprocess.run([sys.executable, '-c', code], check=True)


def test_our_registries_take_the_scope_too():
    """They import the host's module for the class, with either name."""
    pytest.importorskip('mmpretrain')
    from mmuniformer.registry import MODELS

    assert MODELS.get('LightClsHead') is MODELS.get('mmuniformer.LightClsHead')
