"""Fixtures of the recipe tests, for modules that name their TASKS."""

from importlib.util import find_spec

import pytest
from mmengine.registry import init_default_scope

from mmuniformer.analysis.complexity import build_on_meta

from .common import build_backbone, load, table


def pytest_generate_tests(metafunc):
    """Every test of a ``row`` is one for each recipe of the tasks."""
    tasks = getattr(metafunc.module, 'TASKS', ())
    if tasks and 'row' in metafunc.fixturenames:
        keys = [(task, name) for task in tasks for name in table(task)]
        names = [name for _, name in keys]
        metafunc.parametrize(
            'row', keys, indirect=True, ids=names, scope='module'
        )


@pytest.fixture(scope='module')
def row(request):
    """Official values of a recipe."""
    task, name = request.param
    return dict(table(task)[name], task=task, name=name)


@pytest.fixture(scope='module')
def cfg(row):
    return load(row['task'], row['name'])


@pytest.fixture(scope='module')
def backbone(cfg):
    return build_backbone(cfg)


@pytest.fixture(scope='module')
def model(cfg):
    """The whole model, without values."""
    if find_spec(cfg.default_scope) is None:
        pytest.skip(f'needs {cfg.default_scope}')
    init_default_scope(cfg.default_scope)
    return build_on_meta(cfg.model)
