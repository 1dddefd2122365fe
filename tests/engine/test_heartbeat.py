"""Lost processes are named, by the others, in time."""

import re
import threading
import time
from datetime import timedelta

import pytest
from torch.distributed import TCPStore

from mmuniformer.engine import heartbeat
from mmuniformer.errors import LocalUserError

from .. import ROOT


@pytest.fixture
def store():
    return TCPStore('127.0.0.1', 0, is_master=True, wait_for_workers=False)


def client(store):
    return TCPStore('127.0.0.1', store.port, timeout=timedelta(seconds=2))


def watcher(store, rank, lines):
    beat = heartbeat.Heartbeat(
        client(store), rank, 2, lost=0.5, beat=0.05, leave=lines.append
    )
    beat.start()
    return beat


def test_a_silent_process_is_named(store):
    lines = []
    one = watcher(store, 0, lines)
    store.set(heartbeat.key('host', 1), 'b process 7')
    store.set(heartbeat.key('beat', 1), '5')  # and never again
    time.sleep(1.5)
    one.stop()
    assert len(lines) == 1
    assert 'process 1 (b process 7) has not been heard of' in lines[0]


def test_one_that_has_ended_its_work_is_not_lost(store):
    lines = []
    one, other = watcher(store, 0, lines), watcher(store, 1, lines)
    time.sleep(0.3)
    other.stop()
    time.sleep(1.2)
    one.stop()
    assert not lines


def test_one_that_ended_with_an_error_is_named(store):
    lines = []
    one = watcher(store, 0, lines)
    one.patience = 0.2
    store.set(heartbeat.key('beat', 1), heartbeat.FAILED + b'a host')
    time.sleep(0.15)
    assert not lines  # it may have the same error to say
    time.sleep(0.6)
    one.stop()
    assert len(lines) == 1
    assert 'process 1 has ended with an error, see what a host' in lines[0]


def test_one_that_ended_before_it_came_is_named(store):
    store.set(heartbeat.key('beat', 1), heartbeat.FAILED + b'a host')
    with pytest.raises(LocalUserError, match='0: process 1 has ended with'):
        heartbeat.meet(store, 0, 2, 9)


def test_torchrun_tells_it_by_the_same_key(monkeypatch):
    source = (ROOT / 'tools/_torchrun.py').read_text()
    (key,) = re.findall("^BEAT = '(.*)'$", source, re.MULTILINE)
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'a')
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '2')
    own = key.format(TORCHELASTIC_RUN_ID='a', again=2, RANK=7)
    assert own == heartbeat.key('beat', 7)
    assert f"FAILED = f'{heartbeat.FAILED.decode()}{{HOST}}'" in source


def test_the_first_node_is_out_of_reach():
    class Cut:
        """A store whose link is cut: nothing comes back."""

        def set(self, *_):
            time.sleep(60)

    lines = []
    beat = heartbeat.Heartbeat(
        Cut(), 1, 2, lost=0.3, beat=0.05, leave=lines.append
    )
    beat.start()
    time.sleep(1)
    beat.stopped.set()
    assert len(lines) == 1 and 'cannot be reached' in lines[0]


def test_who_has_not_come_is_named(store):
    with pytest.raises(LocalUserError, match='process 1 2 has not come'):
        heartbeat.meet(store, 0, 3, 0.3)


def test_all_come(store):
    other = threading.Thread(
        target=heartbeat.meet, args=(client(store), 1, 2, 5)
    )
    other.start()
    heartbeat.meet(store, 0, 2, 5)
    other.join(5)
    assert not other.is_alive()


def test_a_number_that_is_given_twice(store, monkeypatch):
    store.compare_set(heartbeat.key('first', 1), '', 'a process 5')
    with pytest.raises(LocalUserError, match=r'RANK=1 .*twice: to a process'):
        heartbeat.meet(store, 1, 2, 1)
