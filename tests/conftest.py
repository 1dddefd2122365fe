"""Fixtures that several folders of tests share."""

import os
import subprocess
import sys

import pytest

from . import ROOT
from .zygote import Zygote

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
def run_process():
    """Runs a tool, Python or shell, in a process of its own, from anywhere."""

    def run(tool, *arguments, cwd=ROOT):
        path = str(ROOT / 'tools' / tool)
        start = [path] if path.endswith('.sh') else [sys.executable, path]
        return subprocess.run(
            [*start, *map(str, arguments)],
            cwd=cwd,
            env=dict(os.environ, PYTHON=sys.executable),
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope='session')
def run_tool():
    """The same in a fork of a process that has imported the hosts."""
    zygote = Zygote()
    yield zygote.run
    zygote.end()


@pytest.fixture
def as_under_our_tools(monkeypatch):
    """Files that cannot be read are named, as our tools have it."""
    from mmcv.transforms import LoadImageFromFile, loading

    from mmuniformer.compat import unnamed_images, unnamed_label_maps

    read = LoadImageFromFile.transform
    monkeypatch.setattr(LoadImageFromFile, 'transform', read)
    unnamed_images.apply(loading)
    try:
        from mmseg.datasets.transforms import loading as label_maps
    except ImportError:
        return
    decode = label_maps.LoadAnnotations._load_seg_map
    monkeypatch.setattr(label_maps.LoadAnnotations, '_load_seg_map', decode)
    unnamed_label_maps.apply(label_maps)
