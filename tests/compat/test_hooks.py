"""Import hooks change nothing that works, and answer for what does not."""

import importlib
import importlib.util
import pkgutil
import subprocess
import sys
import types

import pytest

from mmuniformer import compat
from mmuniformer.compat import _hooks


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package ``host_x`` that can be imported."""
    (tmp_path / 'host_x').mkdir()
    (tmp_path / 'host_x/__init__.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_hooks, '_stand_ins', dict(_hooks._stand_ins))
    monkeypatch.setattr(_hooks, '_callbacks', dict(_hooks._callbacks))
    yield tmp_path / 'host_x'
    for name in [n for n in sys.modules if n.startswith('host_x')]:
        del sys.modules[name]


def test_stand_in_answers_for_a_missing_module(package):
    _hooks.stand_in('host_x.gone', 'colorsys')
    assert importlib.util.find_spec('host_x.gone').loader
    assert importlib.import_module('host_x.gone').__name__ == 'colorsys'


def test_a_module_that_is_there_is_used(package):
    (package / 'there.py').write_text('real = True')
    _hooks.stand_in('host_x.there', 'colorsys')
    assert importlib.import_module('host_x.there').real


def test_stand_in_answers_for_a_module_that_does_not_import(package):
    (package / 'broken.py').write_text('raise ValueError("numpy 1")')
    _hooks.stand_in('host_x.broken', 'colorsys')
    assert importlib.import_module('host_x.broken').__name__ == 'colorsys'


def test_other_broken_modules_stay_broken(package):
    (package / 'broken.py').write_text('raise ValueError("a bug")')
    _hooks.after_import('host_x.broken', print)
    with pytest.raises(ValueError, match='a bug'):
        importlib.import_module('host_x.broken')


def test_callback_sees_the_finished_module_once(package):
    (package / 'some.py').write_text('answer = 42')
    seen = []
    _hooks.after_import('host_x.some', lambda m: seen.append(m.answer))
    module = importlib.import_module('host_x.some')
    importlib.reload(module)
    assert seen == [42]


def test_callback_for_a_module_already_imported_runs_at_once():
    seen = []
    _hooks.after_import('types', seen.append)
    assert seen == [types]


def test_install_twice_installs_once():
    before = list(sys.meta_path)
    compat.install()
    assert sys.meta_path == before


def test_mmcv_takes_itself_for_complete():
    pytest.importorskip('mmcv')
    assert importlib.util.find_spec('mmcv._ext')
    if hasattr(pkgutil, 'find_loader'):
        from mmcv.utils.ext_loader import check_ops_exist

        assert check_ops_exist()


def test_import_is_light():
    code = (
        'import sys, mmuniformer.compat as c; assert c._installed\n'
        'print({m.split(".")[0] for m in sys.modules} & {"torch", "numpy",'
        ' "mmengine", "mmcv", "mmdet", "pycocotools", "transformers"})'
    )
    run = [sys.executable, '-c', code]
    assert subprocess.check_output(run, text=True) == 'set()\n'
