"""Loggers beside the files of a work dir: mmengine's backends, by name."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import UserError
from ..registry import HOOKS

LOGGERS: dict[str, str] = {
    'tensorboard': 'TensorboardVisBackend',
    'wandb': 'WandbVisBackend',
    'mlflow': 'MLflowVisBackend',
}
LOCAL = 'LocalVisBackend'


def add_option(parser: argparse.ArgumentParser) -> None:
    """The option ``--log``."""
    parser.add_argument(
        '--log',
        nargs='+',
        choices=tuple(LOGGERS),
        default=(),
        metavar='LOGGER',
        help=f'write losses and metrics there, too: {", ".join(LOGGERS)}',
    )


def log_to(cfg: Config, names: Any) -> None:
    """Has a run write to loggers, too.

    Args:
        cfg: Whole config, with its ``work_dir``; changed in place. A logger
            that it has already keeps its options.
        names: Keys of ``LOGGERS``.

    Raises:
        UserError: One of them is not installed.
    """
    if not names:
        return
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise UserError(
            f'--log {" ".join(names)}: {" and ".join(missing)} not '
            f'installed; pip install {" ".join(missing)}'
        )
    visualizer = cfg.get('visualizer') or dict(type='Visualizer')
    backends = visualizer.get('vis_backends') or [dict(type=LOCAL)]
    known = {backend['type'].split('.')[-1] for backend in backends}
    for name in names:
        if LOGGERS[name] not in known:
            known.add(LOGGERS[name])
            backends.append(backend_of(name, cfg.work_dir))
    visualizer['vis_backends'] = backends
    cfg.visualizer = visualizer
    hooks = cfg.setdefault('default_hooks', {})
    hooks['log_test'] = dict(type='mmuniformer.LogTestHook')


def backend_of(name: str, work_dir: str) -> dict[str, Any]:
    """The backend of a logger; runs are called after their work dir."""
    folder = Path(work_dir).resolve()
    title = folder.name
    backend: dict[str, Any] = dict(type=LOGGERS[name])
    if name == 'wandb':
        backend['init_kwargs'] = dict(project='mmuniformer', name=title)
    elif name == 'mlflow':
        # A server, or a file: mlflow no longer writes folders, which are
        # mmengine's default.
        backend.update(
            exp_name='mmuniformer',
            run_name=title,
            tracking_uri=os.environ.get(
                'MLFLOW_TRACKING_URI', f'sqlite:///{folder}/mlflow.db'
            ),
            artifact_location=str(folder / 'mlflow'),
        )
    return backend


@HOOKS.register_module()
class LogTestHook(Hook):
    """Writes the metrics of a test to the loggers, too.

    mmengine's own hook writes those of validations there, and those of tests
    to files alone.
    """

    priority = 'VERY_LOW'  # what else a test writes comes before

    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, Any] | None = None
    ) -> None:
        """Writes what is one number each."""
        scalars = {
            name: float(value)
            for name, value in (metrics or {}).items()
            if np.ndim(value) == 0 and not isinstance(value, str)
        }
        if scalars:
            runner.visualizer.add_scalars(scalars)

    def after_test(self, runner: Runner) -> None:
        """Has the loggers write what they hold back."""
        runner.visualizer.close()
