"""Merged groups of parameters: the same steps, and runs that go on."""

import copy
import logging

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mmuniformer.engine.param_groups import MergedGroupsHook
from mmuniformer.errors import UserError
from mmuniformer.models import UniFormerLight

from .. import TINY
from . import test_ema

RULES = {
    'cls': dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
        custom_keys={'cls_token': dict(decay_mult=0.0)},
    ),
    'det': dict(custom_keys={'norm': dict(decay_mult=0.0)}),
    'none': None,
}


def network():
    torch.manual_seed(0)
    return nn.ModuleDict(
        dict(
            backbone=UniFormerLight(TINY, with_cls_token=True),
            head=nn.Linear(32, 3),
        )
    )


def wrapper(model, rules, constructor='mmuniformer.MergedGroups', **kwargs):
    optimizer = dict(type='AdamW', lr=0.01, weight_decay=0.05)
    return build_optim_wrapper(
        model,
        dict(
            optimizer=optimizer,
            paramwise_cfg=rules,
            constructor=constructor,
            **kwargs,
        ),
    )


def per_tensor(model, rules):
    return wrapper(model, rules, 'DefaultOptimWrapperConstructor')


def scheduler(wrap):
    return PARAM_SCHEDULERS.build(
        dict(type='CosineAnnealingLR', T_max=6, optimizer=wrap)
    )


def step(model, wrap, schedule, seed):
    """A step along made gradients."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
    wrap.step()
    schedule.step()


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


@pytest.mark.parametrize('rules', RULES.values(), ids=RULES)
def test_both_forms_step_to_equal_weights(rules):
    models = [network(), network()]
    wraps = [per_tensor(models[0], rules), wrapper(models[1], rules)]
    schedules = [scheduler(wrap) for wrap in wraps]
    for seed in range(3):
        for parts in zip(models, wraps, schedules):
            step(*parts, seed)
    for one, other in zip(*map(weights, models)):
        assert torch.equal(one, other)


@pytest.mark.parametrize('rules', ['cls', 'det'])
def test_two_groups_in_place_of_one_for_each_tensor(rules):
    model = network()
    groups = wrapper(model, RULES[rules]).optimizer.param_groups
    assert [group['lr'] for group in groups] == [0.01, 0.01]
    assert {group['weight_decay'] for group in groups} == {0.0, 0.05}
    count = sum(len(group['params']) for group in groups)
    assert count == len(list(model.parameters()))


def test_other_settings_are_other_groups():
    rules = dict(custom_keys={'head': dict(lr_mult=10, decay_mult=1)})
    groups = wrapper(network(), rules).optimizer.param_groups
    assert [group['lr'] for group in groups] == [0.01, 0.1]


@pytest.fixture
def said():
    """What goes into the log."""
    lines = []

    class Handler(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.INFO:
                lines.append(record.getMessage())

    logger, handler = MMLogger.get_current_instance(), Handler()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def test_one_line_in_the_log(said):
    model = network()
    model.head.requires_grad_(False)
    wrapper(model, RULES['cls'])
    assert len(said) == 1
    assert 'weight_decay=0.05; ' in said[0]
    assert said[0].endswith('2 tensors: frozen')


class Runner:
    """All that the hook looks at."""

    _resume = True

    def __init__(self, model, wrap):
        self.model, self.optim_wrapper = model, wrap


def saved(rules, form, seeds=(0, 1), frozen=False):
    """A model trained with one form, and its checkpoint."""
    model = network()
    model.backbone.patch_embed1.requires_grad_(not frozen)
    wrap = form(model, rules)
    schedule = scheduler(wrap)
    for seed in seeds:
        step(model, wrap, schedule, seed)
    checkpoint = dict(
        optimizer=wrap.state_dict(), param_schedulers=[schedule.state_dict()]
    )
    return model, wrap, schedule, copy.deepcopy(checkpoint)


@pytest.mark.parametrize('frozen', [False, True])
@pytest.mark.parametrize('form', [per_tensor, wrapper])
def test_a_run_goes_on(form, frozen):
    """As if it had never stopped, whichever form has saved it."""
    rules = RULES['cls']
    model, wrap, schedule, checkpoint = saved(rules, form, frozen=frozen)
    resumed = copy.deepcopy(model)
    later = wrapper(resumed, rules)
    MergedGroupsHook().after_load_checkpoint(
        Runner(resumed, later), checkpoint
    )
    later.load_state_dict(checkpoint['optimizer'])
    rest = scheduler(later)
    rest.load_state_dict(checkpoint['param_schedulers'][0])
    step(model, wrap, schedule, 2)
    step(resumed, later, rest, 2)
    for one, other in zip(weights(model), weights(resumed)):
        assert torch.equal(one, other)
    rates = later.get_lr()['lr']
    assert rates == schedule.get_last_value()[:1] * len(rates)


def test_groups_that_were_other_ones_are_refused():
    model, _, _, checkpoint = saved(RULES['det'], per_tensor)
    later = wrapper(model, RULES['cls'])
    with pytest.raises(UserError, match='different settings in the checkp'):
        MergedGroupsHook().after_load_checkpoint(
            Runner(model, later), checkpoint
        )


def run(folder, epochs, constructor, resume=False):
    """Weights after so many epochs of a Runner, as the recipes have it."""
    torch.manual_seed(0)
    runner = test_ema.Runner(
        test_ema.Classifier(),
        work_dir=str(folder),
        experiment_name=f'{folder.name}_{constructor}_{epochs}',
        train_dataloader=test_ema.batches(4),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.05),
            paramwise_cfg=RULES['cls'],
            constructor=constructor,
        ),
        param_scheduler=[dict(type='CosineAnnealingLR', T_max=3, end=3)],
        default_hooks=dict(groups=dict(type='mmuniformer.MergedGroupsHook')),
        resume=resume,
        randomness=dict(seed=0),
        default_scope='mmengine',
    )
    runner.train()
    return weights(runner.model), runner.optim_wrapper.get_lr()['lr']


def test_a_runner_goes_on_from_a_checkpoint_of_before(tmp_path):
    (tmp_path / 'old').mkdir()
    (tmp_path / 'whole').mkdir()
    run(tmp_path / 'old', 1, 'DefaultOptimWrapperConstructor')
    found, rates = run(tmp_path / 'old', 3, 'mmuniformer.MergedGroups', True)
    wanted, _ = run(tmp_path / 'whole', 3, 'mmuniformer.MergedGroups')
    assert len(rates) == 2
    for one, other in zip(found, wanted):
        torch.testing.assert_close(one, other)
