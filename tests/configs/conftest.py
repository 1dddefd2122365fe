"""Fixtures of the recipe tests, for modules that name their TASKS."""

from importlib.util import find_spec

import pytest
from mmengine.config import Config
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


BUILT = {}


@pytest.fixture(scope='module')
def model(cfg):
    """The whole model, without values; recipes share a few of them."""
    if find_spec(cfg.default_scope) is None:
        pytest.skip(f'needs {cfg.default_scope}')
    whole = Config(dict(model=cfg.model.to_dict())).model
    whole.backbone.update(init_cfg=None, drop_path_rate=0.0)
    key = str(whole)
    if key not in BUILT:
        init_default_scope(cfg.default_scope)
        BUILT[key] = build_on_meta(whole)
    return BUILT[key]
