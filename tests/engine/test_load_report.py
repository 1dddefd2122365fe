"""Whole models: what is loaded, what is refused."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmuniformer.engine import LoadReportHook
from mmuniformer.errors import UserError


def runner(training=False, resume=False):
    """As much of a Runner as the hook looks at."""
    model = nn.ModuleDict(dict(backbone=nn.Linear(3, 3), head=nn.Linear(3, 2)))
    loop = object() if training else None
    return SimpleNamespace(model=model, _train_loop=loop, _resume=resume)


def state(out=2, **extra):
    other = nn.ModuleDict(
        dict(backbone=nn.Linear(3, 3), head=nn.Linear(3, out))
    )
    return {**other.state_dict(), **extra}


def load(run, checkpoint):
    LoadReportHook().after_load_checkpoint(run, checkpoint)
    return checkpoint


@pytest.mark.parametrize('wrapper', ['model', 'model_state', 'state_dict'])
def test_every_wrapper_reaches_the_runner(wrapper):
    assert set(load(runner(), {wrapper: state()})['state_dict']) == set(
        state()
    )


def test_another_class_count_is_refused():
    with pytest.raises(UserError, match=r'class count.*head\.weight'):
        load(runner(), {'state_dict': state(out=5)})


def test_a_part_of_the_model_is_refused_for_testing():
    part = {k: v for k, v in state().items() if k.startswith('backbone')}
    with pytest.raises(UserError, match=r'2 of 4.*head\.weight'):
        load(runner(), {'state_dict': part})


def test_a_part_of_the_model_is_taken_to_start_training():
    part = {k: v for k, v in state().items() if k.startswith('backbone')}
    assert load(runner(training=True), {'state_dict': part})


def test_a_part_of_the_model_is_refused_for_resuming():
    part = {k: v for k, v in state().items() if k.startswith('backbone')}
    with pytest.raises(UserError, match='2 of 4'):
        load(runner(training=True, resume=True), {'state_dict': part})


@pytest.mark.parametrize('training', [True, False])
def test_nothing_that_fits_is_refused(training):
    with pytest.raises(UserError, match='0 of 4'):
        load(runner(training), {'state_dict': {'conv1': torch.ones(1)}})
