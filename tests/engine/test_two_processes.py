"""Two processes stop, resume, skip and refuse alike."""

import json
import os
import subprocess
import sys

import pytest

from .. import ROOT


@pytest.fixture(scope='module')
def seen(tmp_path_factory):
    """What each process has seen, of two under our torchrun."""
    folder = tmp_path_factory.mktemp('two')
    done = subprocess.run(
        [
            sys.executable, ROOT / 'tools/_torchrun.py', '--nproc-per-node=2',
            '--rdzv-backend=c10d', '--rdzv-endpoint=localhost:0',
            '-m', 'tests.engine.two_processes', folder,
        ],
        cwd=ROOT,
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((folder / f'{r}.json').read_text()) for r in (0, 1)]


def test_one_is_asked_and_both_end_and_go_on_bit_by_bit(seen):
    for one in seen:
        said, different = one['resumed']
        assert 'stopped at epoch 2' in said and not different


def test_both_skip_the_step_of_one(seen):
    assert seen[0]['not_finite'][:2] == [True, 3]
    assert seen[0]['not_finite'] == seen[1]['not_finite']


def test_configs_that_differ_are_named_by_both(seen):
    for one in seen:
        differs, paths = one['configs']
        assert 'lr: 0.1 on rank 0, 0.2 on rank 1' in differs
        assert paths is None


def test_weights_that_differ_are_refused_by_both(seen):
    assert all('weights after x.pth differs' in x['weights'] for x in seen)


def test_a_work_dir_that_is_not_shared_is_refused_by_both(seen):
    for one in seen:
        assert 'no such file' in one['folder'] and 'rank 1' in one['folder']


def test_nodes_without_a_common_folder_are_scored(seen):
    for one in seen:
        score = dict(score=1.0)
        assert one['nodes'] == [['cpu', score], ['gpu', score]]
