"""Steps that are not finite leave no trace, and are named."""

import logging

import pytest
import torch

from mmuniformer.errors import UserError

from .runs import Net, Pictures, last, make, states

BAD = 5  # a sample


class Spoiled(Pictures):
    """One sample is not finite, or so large that statistics are not."""

    value = torch.nan

    def __getitem__(self, index):
        sample = super().__getitem__(index)
        if index == BAD:
            sample['inputs'][0, 0, 0] = self.value
        return sample

    def get_data_info(self, index):
        return dict(img_path=f'{index}.jpg')


def train(folder, caplog, value=torch.nan, loop='epoch', **options):
    data = dict(
        dataset=Spoiled(),
        batch_size=2,
        sampler=dict(type='DefaultSampler', shuffle=True),
    )
    data['dataset'].value = value
    finite = dict(type='mmuniformer.FiniteHook', **options)
    hooks = dict(
        finite=finite,
        ema=dict(type='EMAHook', momentum=0.1, update_buffers=True),
        checkpoint=dict(type='CheckpointHook', interval=1),
    )
    runner = make(folder, loop, train_dataloader=data, default_hooks=hooks)
    runner.logger.addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        runner.train()
    return [r.message for r in caplog.records if 'not finite' in r.message]


@pytest.mark.parametrize('value', [torch.nan, torch.inf, 3e38, -1e30])
def test_the_step_is_skipped_and_named(tmp_path, caplog, value):
    lines = train(tmp_path, caplog, value)
    assert len(lines) == 3  # once in each epoch
    assert all('5.jpg' in x and 'The step is skipped' in x for x in lines)
    where = 'pictures themselves' if value in (torch.inf,) else 'first in'
    assert where in lines[0]
    assert all(t.isfinite().all() for t in states(last(tmp_path)).values())


def test_the_first_module_is_named(tmp_path, caplog):
    lines = train(tmp_path, caplog, -1e30)
    assert 'first in layers.1;' in lines[0] or 'BatchNorm' in lines[0]


def test_a_training_can_stop_instead(tmp_path, caplog):
    with pytest.raises(UserError, match=r'iteration \d is not .*5\.jpg'):
        train(tmp_path, caplog, policy='stop')


def test_there_is_a_limit(tmp_path, caplog):
    with pytest.raises(UserError, match=r'2 steps .*at most 1 .*resume auto'):
        train(tmp_path, caplog, limit=1)
    assert (tmp_path / 'epoch_1.pth').exists()


def test_a_healthy_run_is_the_same_without_the_guard(tmp_path):
    ends = []
    guard = dict(finite=dict(type='mmuniformer.FiniteHook'))
    for name, hooks in ('a', guard), ('b', {}):
        default = dict(
            checkpoint=dict(type='CheckpointHook', interval=1),
            ema=dict(type='EMAHook', momentum=0.1),
            **hooks,
        )
        make(tmp_path / name, 'epoch', default_hooks=default).train()
        ends.append(states(last(tmp_path / name)))
    assert all(torch.equal(ends[0][n], ends[1][n]) for n in ends[0])


def test_nothing_that_is_not_finite_is_saved(tmp_path):
    class Breaks(Net):
        """Weights that something else has broken."""

        def train_step(self, data, optim_wrapper):
            out = super().train_step(data, optim_wrapper)
            if optim_wrapper._inner_count == 6:
                self.head.weight.data[0, 0] = torch.nan
            return out

    hooks = dict(
        finite=dict(type='mmuniformer.FiniteHook'),
        checkpoint=dict(type='CheckpointHook', interval=1),
    )
    runner = make(tmp_path, 'epoch', default_hooks=hooks, model=Breaks())
    with pytest.raises(UserError, match=r'nothing is saved.*head\.weight'):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


def test_weights_that_are_not_finite_do_not_start(tmp_path):
    model = Net()
    model.head.weight.data.fill_(torch.nan)
    hooks = dict(finite=dict(type='mmuniformer.FiniteHook'))
    with pytest.raises(UserError, match=r'first step: head\.weight'):
        make(tmp_path, 'epoch', default_hooks=hooks, model=model).train()


def test_gradients_of_several_steps(tmp_path, caplog):
    """One bad batch of two leaves out both."""
    wrapper = dict(
        optimizer=dict(type='SGD', lr=0.1),
        accumulative_counts=2,
        clip_grad=dict(max_norm=1),
    )
    data = dict(
        dataset=Spoiled(),
        batch_size=2,
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    hooks = dict(
        finite=dict(type='mmuniformer.FiniteHook'),
        checkpoint=dict(type='CheckpointHook', interval=1),
    )
    runner = make(
        tmp_path, 'epoch', default_hooks=hooks, optim_wrapper=wrapper,
        train_dataloader=data,
    )  # fmt: skip
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert caplog.text.count('The step is skipped') == 3
    model = last(tmp_path)['state_dict']
    assert all(value.isfinite().all() for value in model.values())


@pytest.mark.parametrize('options', [dict(policy='x'), dict(limit=-1)])
def test_wrong_options(options):
    from mmuniformer.engine import FiniteHook

    with pytest.raises(UserError, match='FiniteHook'):
        FiniteHook(**options)
