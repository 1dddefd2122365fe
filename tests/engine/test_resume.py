"""An interrupted run ends as the uninterrupted one, bit for bit."""

import signal

import pytest
import torch

from mmuniformer.compat.behind import CHECKPOINTS
from mmuniformer.engine import signals
from mmuniformer.engine.stop import seconds
from mmuniformer.errors import UserError

from .runs import Ask, last, make, states


@pytest.fixture(scope='module', params=['epoch', 'infinite', 'finite'])
def loop(request):
    return request.param


@pytest.fixture(scope='module')
def whole(loop, tmp_path_factory):
    """A run that nobody interrupts."""
    folder = tmp_path_factory.mktemp(loop)
    hook = Ask()
    make(folder, loop, hook).train()
    return states(last(folder)), hook.seen


def same(one, other):
    assert one.keys() == other.keys()
    return [n for n in one if not torch.equal(one[n], other[n])]


@pytest.mark.parametrize('at', [0, 5, 8, 13, 17])
def test_interrupted_at(loop, whole, tmp_path, at):
    first, second = Ask(at), Ask()
    with pytest.raises(signals.Stopped, match='--resume auto goes on') as end:
        make(tmp_path, loop, first).train()
    assert end.value.status == 75
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    make(tmp_path, loop, second, resume=True).train()
    assert first.seen + second.seen == whole[1]
    assert not same(states(last(tmp_path)), whole[0])
    assert not list(tmp_path.glob('interim*')) or at == 17


def test_interrupted_in_a_validation(loop, whole, tmp_path):
    """The average, which is in the model's place, is put back."""
    at = dict(epoch=6, infinite=7, finite=7)[loop]
    with pytest.raises(signals.Stopped, match='the validation'):
        make(tmp_path, loop, Ask(at, in_validation=True)).train()
    make(tmp_path, loop, resume=True).train()
    assert not same(states(last(tmp_path)), whole[0])


def test_workers_draw_what_the_process_itself_would(loop, whole, tmp_path):
    first, second = Ask(9), Ask()
    with pytest.raises(signals.Stopped):
        make(tmp_path, loop, first, workers=2).train()
    make(tmp_path, loop, second, resume=True, workers=1).train()
    assert first.seen + second.seen == whole[1]


class Killed(Ask):
    """Ends as by SIGKILL: nobody saves."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            raise KeyboardInterrupt
        super().before_train_iter(runner, batch_idx, data_batch)


def test_killed_between_two_saves(loop, whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, loop, Killed(14)).train()
    make(tmp_path, loop, resume=True).train()
    assert not same(states(last(tmp_path)), whole[0])


def test_saves_by_the_clock(tmp_path):
    """After every step here; a newer checkpoint takes the place of it."""
    hooks = dict(
        checkpoint=dict(type='CheckpointHook', interval=9),
        stop=dict(type='mmuniformer.StopHook', save_every='0.001s'),
    )
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, 'epoch', Killed(10), default_hooks=hooks).train()
    CHECKPOINTS.settle(60)  # as the tools do at their end
    assert [f.name for f in tmp_path.glob('*.pth')] == ['interim_iter_10.pth']
    make(tmp_path, 'epoch', resume=True, default_hooks=hooks).train()
    assert [f.name for f in tmp_path.glob('*.pth')] == ['epoch_3.pth']


@pytest.mark.parametrize('text', ['', '5 days', '-1', '0', 'x', '1min2'])
def test_a_time_that_is_none(text):
    with pytest.raises(UserError, match=r'save_every=.*30min'):
        seconds(text)


def test_times():
    assert [seconds(t) for t in ('90s', '30min', '2h', 5)] == [
        90, 1800, 7200, 5,
    ]  # fmt: skip
