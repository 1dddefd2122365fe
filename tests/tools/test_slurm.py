"""slurm_train.sh starts a stopped training again; srun is a stand-in here."""

import os
import subprocess
import sys

import pytest

from .. import ROOT

SRUN = """#!/bin/sh
printf "%s " "$@" | tr "\\n" " " >> calls
echo >> calls
case "$(wc -l < calls)" in $STOPS) exit 75;; *) exit ${LAST:-0};; esac
"""
SCONTROL = """#!/bin/sh
echo "scontrol $@" >> calls
"""


@pytest.fixture
def train(tmp_path):
    for name, text in (('srun', SRUN), ('scontrol', SCONTROL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def run(**environment):
        path = f'{tmp_path}:{os.environ["PATH"]}'
        done = subprocess.run(
            [ROOT / 'tools/slurm_train.sh', 'part', 'job', 'a.py', '--amp'],
            cwd=tmp_path,
            env={**os.environ, 'PATH': path, 'STOPS': '1', **environment},
            capture_output=True,
            text=True,
        )
        return done, [
            call.strip()
            for call in (tmp_path / 'calls').read_text().splitlines()
        ]

    return run


def test_a_stopped_training_is_started_again(train):
    done, calls = train(STOPS='[12]')
    assert done.returncode == 0 and len(calls) == 3
    assert '--signal=USR1@120' in calls[0]
    assert calls[0].endswith('a.py 8 --amp')
    assert all(c.endswith('--amp --resume auto') for c in calls[1:])


def test_an_error_is_not_repeated(train):
    done, calls = train(STOPS='9', LAST='2')
    assert done.returncode == 2 and len(calls) == 1


def test_a_job_is_requeued(train):
    done, calls = train(SLURM_JOB_ID='17')
    assert done.returncode == 75
    assert calls[1:] == ['scontrol requeue 17']


def test_a_requeued_job_goes_on(train):
    done, calls = train(SLURM_RESTART_COUNT='1', STOPS='9')
    assert done.returncode == 0 and calls[0].endswith('--resume auto')


def test_a_limit(train):
    done, calls = train(STOPS='*', REQUEUE='2')
    assert done.returncode == 75 and len(calls) == 3


def test_a_machine_without_slurm(tmp_path):
    for name in ('bash', 'dirname', 'sed'):
        (tmp_path / name).symlink_to(f'/usr/bin/{name}')
    done = subprocess.run(
        ['/bin/bash', ROOT / 'tools/slurm_train.sh', 'part', 'job', 'a.py'],
        env=dict(PATH=str(tmp_path)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith('error: there is no srun here')


@pytest.mark.parametrize(
    ('config', 'node', 'wanted'),
    [
        ('num_workers=10', '', 88),  # ten and one for each of 8 processes
        ('num_workers=10', '64', 64),
        ("num_workers='auto'", '', 32),
    ],
)
def test_processors_fit_the_workers(train, tmp_path, config, node, wanted):
    (tmp_path / 'a.py').write_text(f'train_dataloader = dict({config})\n')
    if node:
        (tmp_path / 'sinfo').write_text(f'#!/bin/sh\necho {node}+; echo 96\n')
        (tmp_path / 'sinfo').chmod(0o755)
    _, calls = train(STOPS='9', PYTHON=sys.executable)
    assert f'--cpus-per-task={wanted} ' in calls[0]
