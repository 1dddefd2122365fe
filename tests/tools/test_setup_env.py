"""The set-up: what it installs, and how it fails."""

import hashlib
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import pytest

from .. import ROOT


def load(name):
    """A script of tools/ as a module."""
    spec = spec_from_file_location(name, ROOT / f'tools/{name}.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock = load('lock')
setup_env = load('setup_env')
ASKED, LOCKED = lock.ASKED.read_text(), lock.LOCK.read_text()


def test_the_lock_is_that_of_the_short_list():
    assert lock.differences(ASKED, LOCKED) == []


@pytest.mark.parametrize(
    'asked, locked, wanted',
    [
        (ASKED + 'attrs>=20\n', LOCKED, 'attrs>=20: the lock has None'),
        (ASKED.replace('mmdet==3.3.0', 'mmdet==3.2.0'), LOCKED, '3.3.0'),
        (ASKED.replace('mmdet==3.3.0', ''), LOCKED, 'mmdet: in the lock, and'),
        (ASKED, LOCKED.replace('addict==', 'chumpy=='), 'chumpy: in the lock'),
        (
            ASKED,
            LOCKED.replace(
                "torch==2.11.0 ; python_full_version < '3.14'",
                "torch==2.11.0 ; python_full_version < '3.13'",
            ),
            'torch',
        ),
        (ASKED, '-i https://elsewhere/simple\n' + LOCKED, 'or an address'),
    ],
    ids=['added', 'bound', 'removed', 'in vain', 'Python 3.13', 'address'],
)
def test_a_difference_is_named(asked, locked, wanted):
    found = lock.differences(asked, locked)
    assert found and wanted in '; '.join(found)


def names(text):
    return {line.split('==')[0] for line in text.splitlines() if '==' in line}


def plan(**choice):
    usual = dict(torch='locked', mmcv='lite', hosts='stock')
    return setup_env.plan({**usual, **choice}, lock.LOCK)


def test_the_lock_is_all_that_is_installed():
    text, steps = plan()
    assert steps == []
    assert [line for line in LOCKED.splitlines() if '--hash' in line] == [
        line for line in text.splitlines() if '--hash' in line
    ]


def test_another_pytorch_brings_its_own_libraries():
    text, [(_, pins, _)] = plan(torch='torch==2.8.0 torchvision==0.23.0')
    assert pins == ['torch==2.8.0', 'torchvision==0.23.0']
    left = names(text)
    assert not [n for n in left if n.startswith(('torch', 'nvidia', 'triton'))]
    assert {'numpy', 'timm', 'mmdet', 'pillow', 'packaging'} <= left


def test_old_pytorch_gets_the_numpy_that_it_knows():
    text, [(_, pins, _)] = plan(torch='torch==2.1.2 torchvision==0.16.2')
    assert 'numpy==1.26.4' in pins and 'numpy' not in names(text)


def test_native_operators_replace_the_lite_wheel():
    text, [(_, pins, env)] = plan(mmcv='native')
    assert 'mmcv==2.1.0' in pins and env['MMCV_WITH_OPS'] == '1'
    assert names(LOCKED) - names(text) == {'mmcv-lite'}


def test_forks_replace_their_originals_alone():
    text, [(_, pins, _)] = plan(hosts='onedl')
    assert pins[-3:] == ['--require-hashes', '-r', setup_env.ONEDL_LOCK]
    assert names(LOCKED) - names(text) == set(setup_env.ONEDL)


def test_the_lock_of_the_forks_is_that_of_their_short_list():
    """For every Python, and each with hashes."""
    asked = lock.read_requirements(lock.FORKS.read_text())
    text = lock.FORKS.with_suffix('.lock').read_text()
    assert len(asked) == 10 and lock.differences('', text) == []
    for python in lock.PYTHONS:
        locked = lock.pins(text, python, 'x86_64')
        assert set(locked) == {want.name for want in asked}
        assert all(w.specifier.contains(locked[w.name]) for w in asked)


def test_the_lock_of_the_docs_is_that_of_their_short_list():
    text = lock.DOCS.with_suffix('.lock').read_text()
    assert lock.differences(lock.DOCS.read_text(), text) == []


@pytest.fixture
def wheel(tmp_path):
    """A folder with the wheel of a package, and a lock that has its hash."""
    path = tmp_path / 'tiny_x-1.0-py3-none-any.whl'
    info = 'tiny_x-1.0.dist-info'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr(f'{info}/METADATA', 'Name: tiny-x\nVersion: 1.0\n')
        file.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\nTag: py3-none-any')
        file.writestr(f'{info}/RECORD', '')
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = f'tiny-x==1.0 \\\n    --hash=sha256:{digest}\n'
    (tmp_path / 'lock').write_text(text)
    return tmp_path


def install(folder):
    """What the set-up says of this lock; nothing is installed."""
    pip = SimpleNamespace(python=sys.executable, log=str(folder / 'setup.log'))
    pip.say = lambda *args, **kwargs: None
    for name in ('read', 'progress', 'install'):
        method = getattr(setup_env.Pip, name)
        setattr(pip, name, method.__get__(pip))
    arguments = ['--dry-run', '--no-index', '--find-links', str(folder)]
    arguments += ['--require-hashes', '-r', str(folder / 'lock')]
    pip.install('lock', arguments)


def test_the_right_hash_installs(wheel):
    install(wheel)


def test_a_changed_hash_fails_in_one_line(wheel):
    text = (wheel / 'lock').read_text()
    digest = text.split(':')[1].strip()
    (wheel / 'lock').write_text(text.replace(digest, '0' * 64))
    with pytest.raises(SystemExit) as failed:
        install(wheel)
    message = str(failed.value)
    assert message.startswith('error: tiny-x==1.0: the file that came')
    assert digest in message and '\n' not in message


def test_a_missing_package_fails_in_one_line(wheel):
    (wheel / 'lock').write_text('tiny-y==1.0 --hash=sha256:' + '0' * 64)
    with pytest.raises(SystemExit, match=r'error: .*tiny-y.*setup\.log$'):
        install(wheel)


@pytest.mark.parametrize(
    'option, wanted',
    [
        (['--mmcv', 'full'], "MMCV='full': wanted lite or native"),
        (['--hosts', 'mine'], "HOSTS='mine': wanted stock or onedl"),
        (['--torch', 'torch==2.1.2'], 'wanted locked or a pair'),
    ],
)
def test_a_wrong_choice_is_refused(tmp_path, option, wanted):
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/setup_env.py', *option]
        + ['--venv', tmp_path / 'venv'],
        capture_output=True,
        text=True,
    )
    assert done.returncode and not (tmp_path / 'venv').exists()
    [line] = done.stderr.splitlines()
    assert line.startswith('error: ') and wanted in line


def test_a_half_made_environment_is_named(tmp_path):
    (tmp_path / 'setup.log').touch()
    code = f'import sys; sys.prefix = {str(tmp_path)!r}; import _env'
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=ROOT / 'tools',
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f'error: {tmp_path} is half set up; run `make setup` again\n'
    )


def test_the_package_that_broke_a_test_is_named(tmp_path, monkeypatch, capsys):
    """By the version that was locked, put before the newest."""
    monkeypatch.syspath_prepend(ROOT / 'tools')
    newest = load('test_newest')
    for name, value in dict(
        PYTHON=sys.executable, ROOT=tmp_path, of_torch=lambda name: False
    ).items():
        monkeypatch.setattr(newest, name, value)
    (tmp_path / 'tests').mkdir()
    (tmp_path / 'tests/test_it.py').write_text(
        'def test_old():\n    import tiny_x\n\n'
        'def test_never():\n    assert 0\n\ndef test_good():\n    pass\n'
    )

    def install(command):
        folder, pin = command[-2:]
        assert pin in ('tiny-x==1', 'tiny-y==1')
        if pin == 'tiny-x==1':
            (tmp_path / folder / 'tiny_x.py').touch()

    monkeypatch.setattr(newest.subprocess, 'check_call', install)
    failed, summary = newest.run_tests([], [])
    newest.blame(failed, {'tiny-y': ('1', '2'), 'tiny-x': ('1', '2')})
    assert summary.startswith('2 failed, 1 passed')
    blamed = capsys.readouterr().out.splitlines()[-2:]
    assert blamed == [
        'tiny-x 2 broke tests/test_it.py::test_old (passes with 1)',
        'no single package broke tests/test_it.py::test_never',
    ]
