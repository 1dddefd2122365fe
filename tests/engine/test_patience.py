"""A worker that does not answer is named, and ends the run."""

import os
import time

import pytest

from mmuniformer.engine import machine, patience
from mmuniformer.errors import LocalUserError, UserError

from . import runs

AT = 5


class Slow(runs.Pictures):
    """Sample ``AT`` takes some time, for ever by default."""

    def __init__(self, seconds=1e9):
        self.seconds = seconds

    def __getitem__(self, index):
        if index == AT:
            time.sleep(self.seconds)
        return super().__getitem__(index)

    def get_data_info(self, index):
        return dict(img_path=f'{index}.jpg')


def options(data, split='train', **more):
    loader = dict(
        dataset=data,
        batch_size=2,
        num_workers=1,
        persistent_workers=split == 'train',
        sampler=dict(type='DefaultSampler', shuffle=False),
        **more,
    )
    return {f'{split}_dataloader': loader}


@pytest.mark.parametrize('split', ['train', 'val'])
def test_a_worker_that_never_answers(tmp_path, split):
    runner = runs.make(
        tmp_path, 'epoch', **options(Slow(), split, timeout=0.4)
    )
    with pytest.raises(LocalUserError) as found:
        runner.train()
    line = str(found.value)
    assert line.startswith(f'{split}_dataloader: no batch for 0 s; worker 0')
    assert "reads img_path='5.jpg'; wanted one in" in line
    assert f'{split}_dataloader.timeout=0.4 seconds' in line


def test_a_worker_that_is_slow(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, 'WORD_SECONDS', 0.1)
    said = []
    monkeypatch.setattr(
        patience, 'print_log', lambda text, **_: said.append(text)
    )
    data = Slow(seconds=0.5)
    runs.make(tmp_path, 'epoch', **options(data)).train()
    slow = [text for text in said if 'worker 0 reads' in text]
    # Once a batch, not at each of five looks; a busy machine has others.
    assert 1 <= len(slow) < 9
    assert any("worker 0 reads img_path='5.jpg'" in text for text in slow)
    assert os.path.exists(tmp_path / 'epoch_3.pth')


def test_a_worker_that_has_not_begun(tmp_path, monkeypatch):
    # As if its fork had copied a lock that nobody opens.
    monkeypatch.setattr(patience, '_begin', lambda *_: time.sleep(1e9))
    monkeypatch.setattr(patience, 'WORD_SECONDS', 0.1)
    monkeypatch.setattr(patience, 'BEGIN_SECONDS', 0.3)
    runner = runs.make(tmp_path, 'epoch', **options(Slow(0)))
    with pytest.raises(LocalUserError, match=r'worker 0 of 1 has not begun'):
        runner.train()


@pytest.mark.parametrize('wrong', ['9', -1, None, True, float('nan')])
def test_a_limit_is_seconds(wrong):
    loader = dict(num_workers=1, timeout=wrong)
    with pytest.raises(UserError, match=r'val\.timeout=.*wanted seconds'):
        machine.fit_loader(loader, 'val')


def test_threads_settle_before_a_fork(monkeypatch):
    rests = []
    monkeypatch.setattr(patience.dist, 'is_initialized', lambda: True)
    monkeypatch.setattr(patience.time, 'sleep', rests.append)
    patience.settle()
    assert rests == [patience.SETTLE_SECONDS]
