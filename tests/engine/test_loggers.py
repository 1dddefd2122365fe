"""Loggers by name, for configs of every host."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.visualization import Visualizer

from mmuniformer.engine import loggers
from mmuniformer.engine.config import (
    common_parser,
    draw_predictions,
    load_config,
)
from mmuniformer.errors import UserError
from mmuniformer.registry import HOOKS

from .. import ROOT

TOYS = (
    'cls/uniformer_toy',
    'det/mask_rcnn_uniformer_toy',
    'seg/fpn_uniformer_toy',
    'pose/topdown_uniformer_toy',
    'video/uniformer_toy',
)


@pytest.fixture
def all_there(monkeypatch):
    """As if every logger were installed."""
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    monkeypatch.setattr(loggers, 'find_spec', lambda name: name)


def loaded(name, *options):
    parser = common_parser('Train.')
    return load_config(
        parser.parse_args([str(ROOT / f'configs/{name}.py'), *options])
    )


@pytest.mark.parametrize('name', TOYS)
def test_loggers_come_beside_the_files(all_there, name):
    cfg = loaded(name, '--log', 'tensorboard', 'wandb', 'mlflow')
    kinds = [backend.type for backend in cfg.visualizer.vis_backends]
    assert kinds == [loggers.LOCAL, *loggers.LOGGERS.values()]
    run = cfg.visualizer.vis_backends[2].init_kwargs.name
    mlflow = cfg.visualizer.vis_backends[3]
    assert run == mlflow.run_name
    assert mlflow.tracking_uri.endswith(f'/{run}/mlflow.db')
    assert cfg.work_dir.endswith(run)
    draw_predictions(cfg, 'pictures')
    local, *others = cfg.visualizer.vis_backends
    assert [backend.type for backend in others] == kinds[1:]
    assert 'pictures' in str(local) + str(cfg.default_hooks.visualization)


def test_a_logger_of_the_config_keeps_its_options(all_there):
    own = dict(type='WandbVisBackend', init_kwargs=dict(project='mine'))
    cfg = Config(dict(work_dir='here', visualizer=dict(vis_backends=[own])))
    loggers.log_to(cfg, ['wandb'])
    assert cfg.visualizer.vis_backends == [own]
    cfg = Config(dict(work_dir='here'))
    loggers.log_to(cfg, ['mlflow'])
    assert cfg.visualizer.type == 'Visualizer'
    assert [b.type for b in cfg.visualizer.vis_backends] == [
        'LocalVisBackend',
        'MLflowVisBackend',
    ]


def test_metrics_of_a_test_are_in_tensorboard(all_there, tmp_path):
    event_accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator'
    )
    hook = loaded(TOYS[0], '--log', 'tensorboard').default_hooks.log_test
    hook = HOOKS.build(hook)
    backends = [dict(type='TensorboardVisBackend')]
    runner = SimpleNamespace(
        visualizer=Visualizer(vis_backends=backends, save_dir=str(tmp_path))
    )
    metrics = {'accuracy/top1': 62.5, 'mAP_copypaste': '0.1 0.2'}
    hook.after_test_epoch(runner, metrics)
    hook.after_test(runner)
    (file,) = tmp_path.rglob('events*')
    events = event_accumulator.EventAccumulator(str(file)).Reload()
    assert events.Tags()['scalars'] == ['accuracy/top1']
    (event,) = events.Scalars('accuracy/top1')
    assert event.value == 62.5


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(loggers, 'find_spec', lambda name: None)
    with pytest.raises(UserError, match='wandb not installed; pip install'):
        loaded('cls/uniformer_toy', '--log', 'wandb')
    assert loaded('cls/uniformer_toy').visualizer.vis_backends == [
        dict(type='LocalVisBackend')
    ]


def test_unknown_loggers_are_refused(capsys):
    with pytest.raises(SystemExit) as end:
        loaded('cls/uniformer_toy', '--log', 'paper')
    assert end.value.code == 2 and 'error: ' in capsys.readouterr().err
