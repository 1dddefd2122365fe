"""What the recipe tests of all tasks need."""

import torch
import yaml
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mmuniformer.registry import MODELS

from .. import ROOT


def recipes(task):
    """The table of a task, ``recipes/TASK.yaml``: values by config name.

    ``like: NAME NAME`` in a row names rows that have the values which it does
    not give; of two that have one, the first counts. YAML's own ``<<`` does
    not serve here: PyYAML 6.0.3 and 6.0.4 read a list of merges differently.
    """
    path = ROOT / f'tests/configs/recipes/{task}.yaml'
    rows = yaml.safe_load(path.read_text())

    def whole(name):
        row = dict(rows[name])
        for other in row.pop('like', '').split():
            row = whole(other) | row
        return row

    return {name: whole(name) for name in rows}


def table(task):
    """The rows of :func:`recipes` that are recipes, not parts of some."""
    return {k: v for k, v in recipes(task).items() if 'uniformer' in k}


def load(task, name):
    """The config of a recipe."""
    return Config.fromfile(ROOT / f'configs/{task}/{name}.py')


def plain(value):
    """Tuples as lists, to compare with the table."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def build_backbone(cfg):
    """The backbone of a config, without values."""
    backbone = dict(cfg.model.backbone, init_cfg=None)
    with torch.device('meta'):
        return MODELS.build(backbone)


def learning_rates(schedulers, iterations, epoch_length=None, rate=1.0):
    """Learning rate of each iteration.

    Args:
        schedulers: ``param_scheduler`` of a config.
        iterations: How many to step.
        epoch_length: Iterations per epoch, for schedulers by epoch.
        rate: The base rate.
    """
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=rate)
    built = []
    for cfg in schedulers:
        cfg = dict(cfg, optimizer=optimizer)
        if cfg.pop('convert_to_iter_based', False):
            kind = PARAM_SCHEDULERS.get(cfg.pop('type'))
            built.append(
                kind.build_iter_from_epoch(epoch_length=epoch_length, **cfg)
            )
        else:
            built.append(PARAM_SCHEDULERS.build(cfg))
    rates = []
    for iteration in range(iterations):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in built:
            ends = not scheduler.by_epoch or (
                (iteration + 1) % epoch_length == 0
            )
            if ends:
                scheduler.step()
    return rates


def parameter_groups(optim_wrapper, model):
    """(learning rate, weight decay) of each parameter by name."""
    wrapper = build_optim_wrapper(model, optim_wrapper)
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for p in group['params']
    }
