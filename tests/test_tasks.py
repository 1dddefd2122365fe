"""What is to be known of a task."""

from importlib.util import find_spec

import pytest

from mmuniformer.tasks import TASKS, resolve

from . import ROOT


@pytest.mark.parametrize('name', TASKS)
def test_what_a_task_names_exists(name):
    task = TASKS[name]
    assert resolve(task.predictor).__mro__[-2].__name__ == 'Task'
    for function in (task.judge, task.builder):
        assert not function or callable(resolve(function))
    if find_spec(task.host):
        assert callable(resolve(task.inferencer))


@pytest.mark.parametrize('name', TASKS)
def test_each_task_has_recipes_an_extra_and_an_index(name):
    assert list((ROOT / f'configs/{name}').glob('*_toy.py'))
    assert f'\n{name} = [' in (ROOT / 'pyproject.toml').read_text()
    assert (
        f'configs/{name}/metafile.yml'
        in (ROOT / 'model-index.yml').read_text()
    )
