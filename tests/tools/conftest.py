"""What the tests of tools share: data, and weights behind an address."""

import io

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

from ..weight_server import serving


@pytest.fixture(scope='session')
def toy_cwd(toy_data, tmp_path_factory):
    """A working folder in which the toy recipes find their data."""
    folder = tmp_path_factory.mktemp('cwd')
    (folder / 'data').symlink_to(toy_data)
    return folder


@pytest.fixture(scope='session')
def weight_server(tmp_path_factory):
    """A server on this machine, and an empty cache of torch.hub."""
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv('TORCH_HOME', str(tmp_path_factory.mktemp('home')))
        yield server


@pytest.fixture(scope='session')
def pretrained(weight_server):
    """An ``init_cfg`` with the URL of a file for a backbone of a config."""

    def init_cfg(backbone, name):
        with torch.random.fork_rng():
            model = MODELS.build(dict(backbone, init_cfg=None))
        content = io.BytesIO()
        torch.save({'model': model.state_dict()}, content)
        url = weight_server.url(f'{name}.pth', content.getvalue())
        return dict(type='Pretrained', checkpoint=url)

    return init_cfg


@pytest.fixture(scope='session')
def from_url(pretrained):
    """A recipe that starts from a URL, derived from another in a folder."""

    def derive(recipe, folder):
        backbone = Config.fromfile(recipe).model.backbone
        init_cfg = dict(pretrained(backbone, recipe.stem), _delete_=True)
        path = folder / recipe.name
        path.write_text(
            f'_base_ = {str(recipe)!r}\n'
            f'model = dict(backbone=dict(init_cfg={init_cfg}))\n'
        )
        return path

    return derive
