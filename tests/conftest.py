"""Fixtures that several folders of tests share."""

import os
import subprocess
import sys

import pytest

from . import ROOT

# Before torch is imported: tests are small, and run side by side.
os.environ.setdefault('OMP_NUM_THREADS', '1')


@pytest.fixture(scope='session')
def toy_data(tmp_path_factory):
    """A folder with a very small toy world in all layouts."""
    from mmuniformer.toyworld import World, write_world

    folder = tmp_path_factory.mktemp('data')
    write_world(folder, World(size=96, images_train=6, images_val=4))
    return folder


@pytest.fixture(scope='session')
def run_tool():
    """Runs a tool in a process of its own, from a folder of choice."""

    def run(tool, *arguments, cwd=ROOT):
        return subprocess.run(
            [sys.executable, str(ROOT / 'tools' / tool), *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
