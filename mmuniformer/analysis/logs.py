"""Curves of training runs, and of a schedule before it is run."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope

from ..errors import UserError

# What is in the logs and is no curve worth looking at.
DULL = {'time', 'data_time', 'memory', 'epoch', 'iter', 'step', 'eta'}

Curve = tuple[list[float], list[float]]


def find_logs(path: str) -> list[Path]:
    """The JSON logs of a run, oldest first: a resumed run has several.

    Args:
        path: A work dir, a folder of one start, or a log.

    Raises:
        UserError: There is none.
    """
    place = Path(path)
    if place.is_file():
        return [place]
    found = sorted(place.glob('*/vis_data/[0-9]*.json'))
    found += sorted(place.glob('vis_data/[0-9]*.json'))
    found += sorted(place.glob('[0-9]*.json'))
    if not found:
        raise UserError(
            f'{path!r}: no vis_data/*.json in it; wanted a work dir or a log'
        )
    return found


def read_curves(logs: Iterable[Path]) -> dict[str, Curve]:
    """Curves by name: steps and values.

    What a resumed run did once more replaces what an earlier one has.

    Args:
        logs: Files of one run, oldest first.

    Raises:
        UserError: There is no curve in them.
    """
    points: dict[str, dict[float, float]] = {}
    logs = list(logs)
    names = ', '.join(str(log) for log in logs)
    for log in logs:
        rows = _rows(log)
        own = [row['step'] for row in rows if 'lr' in row]
        for key in {key for row in rows if 'lr' in row for key in row}:
            curve = points.get(key, {})
            for step in [s for s in curve if own and s >= own[0]]:
                del curve[step]
        for row in rows:
            for key, value in row.items():
                if key not in DULL and isinstance(value, (int, float)):
                    points.setdefault(key, {})[row['step']] = value
    if not points:
        raise UserError(f'{names}: no curve in it')
    return {
        key: (list(curve), list(curve.values()))
        for key, curve in points.items()
    }


def _rows(log: Path) -> list[dict[str, Any]]:
    """Lines of a log that hold numbers of a step."""
    rows = []
    for line in log.read_text(encoding='utf-8').splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:  # cut short when it was killed
            continue
        if isinstance(row, dict) and 'step' in row:
            rows.append(row)
    return rows


def schedule(cfg: Config, steps_per_epoch: int) -> dict[str, Curve]:
    """Learning rates that a config leads to, step by step.

    The schedulers are those of the config, built by mmengine, on an
    optimiser of one number.

    Args:
        cfg: Whole config.
        steps_per_epoch: Iterations of an epoch, where it counts in epochs.

    Raises:
        UserError: The config does not train.
    """
    if not cfg.get('train_cfg') or not cfg.get('optim_wrapper'):
        raise UserError('the config has no train_cfg and optim_wrapper')
    epochs = cfg.train_cfg.get('max_epochs')
    total = epochs * steps_per_epoch if epochs else cfg.train_cfg.max_iters
    model = torch.nn.Linear(1, 1)
    wrapper = cfg.optim_wrapper.to_dict()
    wrapper = dict(type='OptimWrapper', optimizer=wrapper['optimizer'])
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        optimizer = build_optim_wrapper(model, wrapper)
        given = cfg.get('param_scheduler') or []
        given = given if isinstance(given, (list, tuple)) else [given]
        schedulers = [
            _build_scheduler(scheduler, optimizer, steps_per_epoch)
            for scheduler in given
        ]
    rates = []
    for step in range(total):
        rates.append(optimizer.get_lr()['lr'][0])
        optimizer.optimizer.step()
        for scheduler in schedulers:
            ends = (step + 1) % steps_per_epoch == 0
            if not scheduler.by_epoch or ends:
                scheduler.step()
    return {'lr': (list(range(1, total + 1)), rates)}


def _build_scheduler(cfg: Any, optimizer: Any, length: int) -> Any:
    cfg = cfg.copy()
    if cfg.pop('convert_to_iter_based', False):
        kind = PARAM_SCHEDULERS.get(cfg.pop('type'))
        return kind.build_iter_from_epoch(
            optimizer=optimizer, epoch_length=length, **cfg
        )
    return PARAM_SCHEDULERS.build(cfg, default_args=dict(optimizer=optimizer))


def draw(
    runs: dict[str, dict[str, Curve]], keys: list[str], path: str
) -> None:
    """Draws curves of several runs, one field for each name.

    Args:
        runs: Curves by run.
        keys: Names of the curves to draw.
        path: Picture to write: PNG, SVG or PDF.
    """
    from matplotlib.figure import Figure

    columns = min(len(keys), 3)
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(5 * columns, 3.4 * rows), layout='tight')
    for place, key in enumerate(keys):
        axes = figure.add_subplot(rows, columns, place + 1)
        for name, curves in runs.items():
            if key in curves:
                marker = 'o' if len(curves[key][0]) < 20 else ''
                axes.plot(*curves[key], label=name, marker=marker, ms=3)
        axes.set_title(key)
        axes.grid(alpha=0.3)
        if len(runs) > 1:
            axes.legend(fontsize=7)
    figure.savefig(path, dpi=100)
