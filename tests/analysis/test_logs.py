"""Curves of runs and schedules, and what a config is after inheritance."""

import importlib.util
import json
import sys

import pytest
from mmengine.config import Config

from mmuniformer.analysis import logs
from mmuniformer.errors import UserError

from .. import ROOT


@pytest.fixture(scope='module')
def print_config():
    """The script, as a module."""
    path = ROOT / 'tools/analysis/print_config.py'
    sys.path.insert(0, str(ROOT / 'tools'))
    spec = importlib.util.spec_from_file_location('print_config', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_differences_of_two_configs(print_config):
    old = Config(dict(a=1, b=dict(c=[1, 2]), d=[dict(e=3)]))
    new = Config(dict(a=1, b=dict(c=[1, 3]), d=[dict(e=3), dict(e=4)]))
    assert print_config.differences(old, new) == [
        '-b.c = [1, 2]',
        '+b.c = [1, 3]',
        '+d.1.e = 4',
    ]
    assert print_config.differences(old, old) == []


def write(path, rows):
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, rows)) + '\n{"loss": 1, "st')


def test_a_resumed_run_is_one_curve(tmp_path):
    first = [dict(lr=1, loss=9 - step, step=step) for step in (1, 2, 3)]
    again = [dict(lr=1, loss=5.0, step=3), dict(acc=0.5, step=1)]
    write(tmp_path / '1/vis_data/20260101_000000.json', first)
    write(tmp_path / '2/vis_data/20260102_000000.json', again)
    curves = logs.read_curves(logs.find_logs(str(tmp_path)))
    assert curves['loss'] == ([1, 2, 3], [8, 7, 5.0])
    assert curves['acc'] == ([1], [0.5])


def test_a_folder_without_logs(tmp_path):
    with pytest.raises(UserError, match='no vis_data'):
        logs.find_logs(str(tmp_path))


def test_rates_of_a_recipe():
    """20 steps of linear warm-up, then half a cosine, in iterations."""
    cfg = Config.fromfile(ROOT / 'configs/cls/uniformer_toy.py')
    steps, rates = logs.schedule(cfg, 25)['lr']
    assert len(steps) == 25 * cfg.train_cfg.max_epochs
    peak = rates.index(max(rates))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert max(rates) == pytest.approx(cfg.optim_wrapper.optimizer.lr, rel=0.1)


def test_curves_are_drawn(tmp_path):
    curves = {'loss': ([1, 2, 3], [3.0, 2.0, 1.0])}
    logs.draw(dict(a=curves, b=curves), ['loss'], str(tmp_path / 'x.png'))
    assert (tmp_path / 'x.png').stat().st_size > 1000
