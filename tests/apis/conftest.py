"""A working folder with data, and what runs a tool in it."""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.visualization import Visualizer

from .. import ROOT
from ..zygote import run_forked


def pytest_collection_modifyitems(items):
    """Warnings of the hosts are not ours."""
    for item in items:
        if 'tests/apis' in str(item.path):
            item.add_marker(pytest.mark.filterwarnings('ignore'))


@pytest.fixture(scope='session')
def cwd(toy_data, tmp_path_factory):
    """A folder in which the toy recipes find their data."""
    folder = tmp_path_factory.mktemp('apis')
    (folder / 'data').symlink_to(toy_data)
    return folder


@pytest.fixture(scope='module')
def run_script(cwd):
    """Runs a script in a fork of this process, which has the host already.

    ``host`` is the package of a repository's tool, None for one of ours.
    """

    def run(host, script, *arguments):
        if host:
            package = importlib.util.find_spec(host).submodule_search_locations
            path = Path(package[0]) / '.mim/tools' / script
        else:
            path = ROOT / 'tools' / script
        log = cwd / 'forked.txt'
        log.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            os.environ['MPLBACKEND'] = 'Agg'
            forget_visualizers()  # those of this process's models
            os._exit(run_forked(path, arguments, cwd, [log, log]))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = log.read_text(errors='replace')
        assert code == 0, said[-3000:]
        return SimpleNamespace(said=said)

    return run


@pytest.fixture(autouse=True)
def new_visualizers():
    """No test draws with a visualizer that another one has made."""
    forget_visualizers()


def forget_visualizers(kind=Visualizer):
    """Each class keeps the instances that were made, by their names."""
    kind._instance_dict.clear()
    for subclass in kind.__subclasses__():
        forget_visualizers(subclass)
