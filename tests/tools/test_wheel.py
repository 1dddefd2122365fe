"""The wheel holds all of the product, and works without the clone."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from mmuniformer.tasks import TASKS

from .. import ROOT

PARTS = ['mmuniformer', 'configs', 'tools']
FILES = [
    *('pyproject.toml', 'setup.py', 'README.md', 'LICENSE', 'NOTICE'),
    'model-index.yml',
]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """A wheel of a copy, for builds leave things behind."""
    source = tmp_path_factory.mktemp('source')
    leave = shutil.ignore_patterns('__pycache__')
    for part in PARTS:
        shutil.copytree(
            ROOT / part, source / part, symlinks=True, ignore=leave
        )
    for name in FILES:
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps']
    options = ['--no-build-isolation', '-w', source / 'dist', source]
    subprocess.run([*pip, *options], check=True, capture_output=True)
    with zipfile.ZipFile(next((source / 'dist').glob('*.whl'))) as file:
        yield file


def test_every_file_of_the_clone_is_in_it(wheel):
    names = set(wheel.namelist())
    wanted = {
        f'mmuniformer/.mim/{path.relative_to(ROOT)}'
        for part in ('configs', 'tools')
        for path in (ROOT / part).rglob('*')
        if path.suffix in ('.py', '.sh', '.yml')
    }
    wanted |= {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'mmuniformer').rglob('*')
        if path.suffix in ('.py', '.tsv', '.txt', '.typed')
    }
    wanted |= {
        'mmuniformer/.mim/model-index.yml',
        '_mmuniformer_startup.py',
        '_mmuniformer_startup.pth',
    }
    assert wanted - names == set()
    licences = {n.rpartition('/')[2] for n in names if 'dist-info' in n}
    assert {'LICENSE', 'NOTICE', 'entry_points.txt'} <= licences


def test_its_scripts_can_be_executed(wheel):
    sourced = '/_python.sh'
    scripts = [
        entry
        for entry in wheel.infolist()
        if entry.filename.endswith('.sh')
        and not entry.filename.endswith(sourced)
    ]
    assert len(scripts) >= 4
    assert all(script.external_attr >> 16 & 0o100 for script in scripts)


@pytest.mark.parametrize(
    'extra, host',
    [
        ('cls', 'mmpretrain'),
        ('det', 'mmdet'),
        ('seg', 'mmsegmentation'),
        ('pose', 'mmpose'),
        ('video', 'mmaction2'),
    ],
)
def test_an_extra_brings_its_host_and_no_other(wheel, extra, host):
    name = next(n for n in wheel.namelist() if n.endswith('METADATA'))
    lines = wheel.read(name).decode().splitlines()
    asked = [line for line in lines if f'extra == "{extra}"' in line]
    hosts = ('mmpretrain', 'mmdet', 'mmsegmentation', 'mmpose', 'mmaction2')
    brought = [h for h in hosts if any(f': {h}>' in line for line in asked)]
    assert brought == [host]
    assert any(': mmcv-lite' in line for line in asked)
    for need in TASKS[extra].needs:
        found = need.replace('_', '[-_]')
        assert re.search(rf': {found}\b', '\n'.join(asked)), need


USE = """
import sys
sys.modules['pkg_resources'] = None  # as with setuptools 82 and later
import mmuniformer
from mmengine.config import Config
from mmengine.hub import get_config
assert mmuniformer.__file__.startswith(sys.argv[1]), mmuniformer.__file__
name = 'mmuniformer::det/mask_rcnn_uniformer_b.py'
assert get_config(name).model.backbone.arch == 'b'
open('mine.py', 'w').write(f'_base_ = {name!r}')
assert Config.fromfile('mine.py').model.backbone.arch == 'b'
"""


def test_its_configs_are_found_in_an_empty_folder(wheel, tmp_path):
    site, empty = tmp_path / 'site', tmp_path / 'empty'
    wheel.extractall(site)
    empty.mkdir()
    env = {**os.environ, 'PYTHONPATH': str(site)}
    subprocess.run(
        [sys.executable, '-c', USE, site], cwd=empty, env=env, check=True
    )
