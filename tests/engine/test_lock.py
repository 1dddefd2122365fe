"""Two trainings do not write into one work dir."""

import os
import signal

import pytest

from mmuniformer.engine import lock
from mmuniformer.errors import UserError


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    monkeypatch.setattr(lock, '_held', {})


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of a folder."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        lock.hold(str(tmp_path), 0)
        os.write(write, b'x')
        signal.pause()
    os.read(read, 1)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_the_other_is_named(other, tmp_path):
    with pytest.raises(UserError, match=f'process {other} on .*, since') as e:
        lock.hold(str(tmp_path), 0)
    assert 'another --work-dir' in str(e.value)
    lock.hold(str(tmp_path.parent), 0)


def test_the_lock_of_a_killed_training_is_free(tmp_path, other):
    child = os.fork()
    if not child:
        os.kill(other, signal.SIGKILL)
        os._exit(0)
    lock.hold(str(tmp_path), 5)  # waits until it is gone
    os.waitpid(child, 0)
    # A process of this training that ends does not give it back.
    child = os.fork()
    if not child:
        lock._held.clear()
        os._exit(0)
    os.waitpid(child, 0)
    child = os.fork()
    if not child:
        try:
            lock._held.clear()
            lock.hold(str(tmp_path), 0)
        except UserError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_no_link_is_followed(tmp_path):
    victim = tmp_path / 'victim'
    victim.write_text('content')
    (tmp_path / lock.NAME).symlink_to(victim)
    lock.hold(str(tmp_path), 0)
    assert victim.read_text() == 'content'
