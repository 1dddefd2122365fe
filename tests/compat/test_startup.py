"""The start-up file: nothing until a host is imported, then all answers."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from .. import ROOT

STARTUP = ROOT / 'mmuniformer/compat/_startup.py'


@pytest.fixture
def run(tmp_path):
    """Runs code in an interpreter that has the start-up file."""
    shutil.copy(STARTUP, tmp_path / 'sitecustomize.py')

    def run(code, **env):
        path = f'{tmp_path}{os.pathsep}{ROOT}'
        return subprocess.run(
            [sys.executable, '-c', f'import sys\n{code}'],
            env={**os.environ, 'PYTHONPATH': path, **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        ).stdout

    return run


def test_nothing_is_imported_before_a_host(run):
    code = 'print({"mmuniformer", "logging", "torch"} & set(sys.modules))'
    assert run(code) == 'set()\n'


def test_the_first_host_brings_the_answers(run):
    code = (
        'import mmengine\nprint("mmuniformer" in sys.modules)\n'
        'import mmcv\nprint("mmuniformer.compat" in sys.modules)'
    )
    assert run(code) == 'False\nTrue\n'


def test_it_answers_for_the_very_name_that_woke_it(run):
    code = 'import xtcocotools\nprint(hasattr(xtcocotools, "__path__"))'
    assert run(code) == 'True\n'


def test_it_is_turned_off(run):
    code = (
        'import mmuniformer.compat as c\nprint(c._installed)\n'
        'print([f for f in sys.meta_path if "First" in str(f)])'
    )
    assert run(code, MMUNIFORMER_COMPAT='0') == 'False\n[]\n'


def test_a_wheel_has_it_on_its_top_level(tmp_path):
    source = tmp_path / 'source'
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(
            '.*venv*', '.git', 'tests', 'data', 'work_dirs', 'build', '*.egg*'
        ),
    )
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps']
        + ['--no-build-isolation', '-w', tmp_path, source],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    [wheel] = tmp_path.glob('*.whl')
    with zipfile.ZipFile(wheel) as file:
        line = file.read('_mmuniformer_startup.pth')
        module = file.read('_mmuniformer_startup.py')
    assert line == b'import _mmuniformer_startup\n'
    assert module == STARTUP.read_bytes()
