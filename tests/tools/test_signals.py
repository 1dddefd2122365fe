"""What the tools do when they are asked to end, or what they need is not."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from .. import ROOT

pytestmark = pytest.mark.skipif(
    find_spec('mmpretrain') is None, reason='needs mmpretrain'
)
TOY = ROOT / 'configs/cls/uniformer_toy.py'
QUICK = [
    '--cfg-options',
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=9',
    'train_dataloader.batch_size=1',
    'default_hooks.logger.interval=1',
]
ENVIRONMENT = dict(os.environ, PYTHON=sys.executable, PYTHONUNBUFFERED='1')


def start(command, cwd):
    return subprocess.Popen(
        [*map(str, command)], cwd=cwd, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


def until(process, text):
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f'no {text!r} in the output')


def children(pid):
    """All processes below one."""
    pids = subprocess.run(
        ['ps', '-o', 'pid=', '--ppid', str(pid)],
        capture_output=True,
        text=True,
    ).stdout.split()
    return [*pids, *(x for p in pids for x in children(p))]


def test_two_processes_stop(toy_cwd):
    """SIGUSR1 comes to the launcher, as Slurm sends it."""
    train = [ROOT / 'tools/dist_train.sh', TOY, 2, '--work-dir', 'asked']
    process = start([*train, *QUICK], toy_cwd)
    until(process, 'Epoch(train) [1][1/')
    process.send_signal(signal.SIGUSR1)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 75
    last = rest.strip().splitlines()[-1]
    line = r'stopped at epoch \d, iteration \d; --resume auto goes on'
    assert re.fullmatch(line, last), rest[-2000:]
    assert 'Traceback' not in rest and 'terminate called' not in rest
    assert list((toy_cwd / 'asked').glob('interim_iter_*.pth'))


def test_control_c(toy_cwd):
    """To all processes of a terminal: a line in under five seconds."""
    process = start(
        [sys.executable, ROOT / 'tools/train.py', TOY, '--work-dir', 'c']
        + QUICK,
        toy_cwd,
    )
    until(process, 'Epoch(train) [1][1/')
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert time.monotonic() - begin < 5
    assert process.returncode == 130
    lines = [x for x in rest.splitlines() if 'mmengine - INFO' not in x]
    assert len(lines) == 1 and lines[0].startswith('stopped at '), rest


def test_no_orphans_and_no_traceback_while_it_starts(toy_cwd):
    train = [ROOT / 'tools/dist_train.sh', TOY, 2, '--work-dir', 'o', *QUICK]
    process = start(train, toy_cwd)
    deadline = time.monotonic() + 60
    while len(children(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        alive = [p for p in workers if os.path.exists(f'/proc/{p}/exe')]
        if not alive:
            break
        time.sleep(0.1)
    assert not alive


def test_a_python_without_torch(tmp_path):
    python = tmp_path / 'python'
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        [ROOT / 'tools/dist_train.sh', TOY, '2'],
        env=dict(ENVIRONMENT, PYTHON=str(python)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith('error: ') and 'no torch' in done.stderr
