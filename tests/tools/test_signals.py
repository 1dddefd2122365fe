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


def test_two_processes_stop_and_go_on(toy_cwd):
    """SIGUSR1 comes to the launcher, as Slurm sends it."""
    train = [ROOT / 'tools/dist_train.sh', TOY, 2, '--work-dir', 'asked']
    first = start([*train, *QUICK], toy_cwd)
    until(first, 'Epoch(train) [1][1/')
    first.send_signal(signal.SIGUSR1)
    rest = first.communicate(timeout=60)[0]
    assert first.returncode == 75
    last = rest.strip().splitlines()[-1]
    match = re.fullmatch(
        r'stopped at epoch (\d), iteration (\d); --resume auto goes on', last
    )
    assert match, rest[-2000:]
    done = int(match[2])
    second = start([*train, '--resume', 'auto', *QUICK], toy_cwd)
    rest = second.communicate(timeout=120)[0]
    assert second.returncode == 0, rest[-2000:]
    steps = re.findall(r'Epoch\(train\) \[(\d)\]\[(\d)/', rest)
    assert steps[0] == (match[1], str(done + 1))
    # The second process ends with no abort, and leaves a group behind.
    assert 'terminate called' not in rest and 'Traceback' not in rest


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


def test_a_work_dir_that_is_a_file(toy_cwd, run_tool):
    (toy_cwd / 'file').touch()
    done = run_tool('train.py', TOY, '--work-dir', 'file', cwd=toy_cwd)
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert re.search(r"^error: .*file'.*folder", done.stderr, re.MULTILINE)


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
