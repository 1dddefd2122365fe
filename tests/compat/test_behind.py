"""Checkpoints are written behind a training where writing is slow."""

import threading
import time

import pytest

from mmuniformer.compat import behind, whole_files
from mmuniformer.compat.behind import CHECKPOINTS, Behind

from ..engine.runs import last, make, states


@pytest.fixture
def slow(monkeypatch):
    """A writer whose last write was slow, and a gate for the next one."""
    monkeypatch.setattr(behind, 'SLOW_SECONDS', 0.0)
    gate = threading.Event()
    writer = Behind()
    yield writer, gate
    gate.set()
    writer.settle(9)


def test_all_is_done_in_order(slow):
    writer, gate = slow
    done = []
    with writer.saving():
        writer.write(lambda: (gate.wait(9), done.append('file')))
    writer.after(lambda: done.append('last_checkpoint'))
    writer.after(lambda: done.append('removal'))
    assert done == []
    gate.set()
    writer.wait()
    assert done == ['file', 'last_checkpoint', 'removal']
    writer.after(lambda: done.append('at once'))
    assert done[-1] == 'at once'


def test_nothing_follows_a_file_that_was_not_written(slow):
    writer, gate = slow
    done = []

    def fail():
        gate.wait(9)
        raise OSError('the disk is full')

    with writer.saving():
        writer.write(fail)
    writer.after(lambda: done.append('removal'))
    gate.set()
    with pytest.raises(OSError, match='full'):
        writer.wait()
    assert done == []
    writer.wait()  # it is said once


def test_fast_writing_is_not_behind(slow, monkeypatch):
    writer, _ = slow
    monkeypatch.setattr(behind, 'SLOW_SECONDS', 9.0)
    done = []
    with writer.saving():
        writer.write(lambda: done.append(threading.current_thread()))
    assert done == [threading.main_thread()]


def test_a_training_does_not_wait_and_ends_equal(tmp_path, monkeypatch):
    make(tmp_path / 'whole', 'epoch').train()
    monkeypatch.setattr(behind, 'SLOW_SECONDS', 0.0)
    write, seen = whole_files.write, []

    def slowly(path, content, *more):
        if str(path).endswith('.pth'):
            time.sleep(0.3)
            seen.append((runner.iter, threading.current_thread().name))
        write(path, content, *more)

    monkeypatch.setattr(whole_files, 'write', slowly)
    runner = make(tmp_path / 'slow', 'epoch', val_dataloader=None,
                  val_cfg=None, val_evaluator=None)  # fmt: skip
    runner.train()
    assert all(name != 'MainThread' for _, name in seen)
    assert seen[0][0] > 6  # steps were done behind the first epoch's
    one, other = (states(last(tmp_path / n)) for n in ('whole', 'slow'))
    assert one.keys() == other.keys()
    assert [p.name for p in (tmp_path / 'slow').glob('*.pth')] == [
        'epoch_3.pth'
    ]
    assert CHECKPOINTS._thread is None
