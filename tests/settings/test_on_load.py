"""When short keys are applied: to the file that has them, by any tool."""

import json
import subprocess
import sys

import pytest
from mmengine.config import Config

from mmuniformer.engine import ShortKeysHook
from mmuniformer.errors import UserError
from mmuniformer.settings import on_load  # noqa: F401

from .. import ROOT

VIDEO = ROOT / 'configs/video/uniformer_s_16x4_k400.py'
CLS = ROOT / 'configs/cls/uniformer_s.py'


@pytest.fixture
def write(tmp_path):
    """Writes a config that inherits another."""

    def write(name, base, *lines):
        path = tmp_path / name
        path.write_text('\n'.join([f'_base_ = {str(base)!r}', *lines]))
        return path

    return write


def frames(cfg):
    return cfg.train_pipeline[1].clip_len


def test_a_line_of_a_config(write):
    cfg = Config.fromfile(write('a.py', VIDEO, 'frames = 8'))
    assert frames(cfg) == 8 and 'frames' not in cfg


def test_two_keys_in_a_line(write):
    cfg = Config.fromfile(write('a.py', VIDEO, 'frames, epochs = 8, 11'))
    assert frames(cfg) == 8 and cfg.train_cfg.max_epochs == 11


def test_who_inherits_it_may_say_otherwise(write):
    """By a key, or by the values themselves."""
    first = write('a.py', CLS, 'epochs = 30')
    second = write('b.py', first, 'epochs = 60')
    third = write('c.py', first, 'train_cfg = dict(max_epochs=7)')
    assert Config.fromfile(first).train_cfg.max_epochs == 30
    assert Config.fromfile(second).param_scheduler[0].epochs == 60
    assert Config.fromfile(third).train_cfg.max_epochs == 7


def test_imports_of_ones_own(write):
    """They take the place of ours; the backbone tells whose config it is."""
    own = "custom_imports = dict(imports=['json'])"
    cfg = Config.fromfile(write('a.py', VIDEO, own, 'frames = 8'))
    assert frames(cfg) == 8


def test_a_dumped_config_is_the_same(write, tmp_path):
    cfg = Config.fromfile(write('a.py', VIDEO, 'frames = 8', 'epochs = 11'))
    cfg.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').to_dict() == cfg.to_dict()


def test_configs_of_others_are_left_alone(tmp_path):
    path = tmp_path / 'theirs.py'
    path.write_text(
        "epochs, lr, data_root = 3, 1, 'a'\ntrain_cfg = dict(max_epochs=12)\n"
    )
    assert Config.fromfile(path).to_dict() == dict(
        epochs=3, lr=1, data_root='a', train_cfg=dict(max_epochs=12)
    )


def test_in_a_process_that_knows_nothing_of_us_yet(write):
    path = write('a.py', VIDEO, 'frames = 8', 'epochs = 11')
    code = (
        'import json, sys; from mmengine.config import Config\n'
        'cfgs = [Config.fromfile(sys.argv[1]) for _ in range(2)]\n'
        'print(json.dumps([[c.train_pipeline[1].clip_len, '
        'c.train_cfg.max_epochs, "frames" in c] for c in cfgs]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, path],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[8, 11, False]] * 2


def test_an_average_of_ones_own_takes_the_place_of_the_recipes(write):
    own = "custom_hooks = [dict(type='EMAHook', momentum=0.1)]"
    cfg = Config.fromfile(write('a.py', CLS, own))
    assert 'ema' not in cfg.default_hooks
    assert len(cfg.custom_hooks) == 1


def test_keys_that_nobody_applied():
    from types import SimpleNamespace

    run = SimpleNamespace(cfg=dict(frames=8))
    with pytest.raises(UserError, match='frames=8: nothing has applied it'):
        ShortKeysHook().before_run(run)
    ShortKeysHook().before_run(SimpleNamespace(cfg=dict(codec=1, lr=3)))


def test_a_hook_that_is_taken_out(write):
    """None is for hooks that mmengine has by itself; it refuses others."""
    lines = 'default_hooks = dict(ema=None, logger=None)'
    cfg = Config.fromfile(write('a.py', CLS, lines))
    assert 'ema' not in cfg.default_hooks
    assert cfg.default_hooks['logger'] is None


def test_no_recipe_has_a_hook_that_is_none():
    for path in (ROOT / 'configs').glob('[a-z]*/*.py'):
        hooks = Config.fromfile(path).default_hooks
        assert None not in hooks.values(), path


@pytest.mark.parametrize('name', ['settings', 'settings.on_load'])
def test_imported_first(name):
    done = subprocess.run(
        [sys.executable, '-c', f'import mmuniformer.{name}'],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
