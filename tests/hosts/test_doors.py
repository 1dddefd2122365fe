"""Files in the authors' format through the hosts' own functions."""

from importlib import import_module
from importlib.util import find_spec

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmuniformer  # noqa: F401
from mmuniformer.errors import UserError
from mmuniformer.weights import transfer

from .. import ROOT

# Host, its module, its function, the recipe.
HOSTS = {
    'mmdet': ('mmdet', 'init_detector', 'det/mask_rcnn_uniformer_toy'),
    'mmseg': ('mmseg', 'init_model', 'seg/fpn_uniformer_toy'),
    'mmpose': ('mmpose', 'init_model', 'pose/topdown_uniformer_toy'),
    'mmpretrain': ('mmpretrain', 'get_model', 'cls/uniformer_xxs_toy'),
    'mmaction': ('mmaction', 'init_recognizer', 'video/uniformer_toy'),
}


@pytest.fixture(params=HOSTS, scope='module')
def host(request):
    """A recipe, and a function that makes its model from a file."""
    name, function, recipe = HOSTS[request.param]
    if find_spec(name) is None:
        pytest.skip(f'needs {name}')
    api = getattr(import_module(f'{name}.apis'), function)

    def init(path):
        init_default_scope(name)
        cfg = Config.fromfile(ROOT / f'configs/{recipe}.py')
        cfg.model.backbone.init_cfg = None
        file = None if path is None else str(path)
        if name == 'mmpretrain':
            return api(cfg, pretrained=file or False, device='cpu')
        return api(cfg, file, device='cpu')

    init_default_scope(name)
    return init


@pytest.fixture(scope='module')
def published(host, tmp_path_factory):
    """A file of random weights with the authors' names, and its content."""
    torch.manual_seed(0)
    state = host(None).state_dict()
    state = {
        name: torch.rand_like(value) if value.is_floating_point() else value
        for name, value in state.items()
    }
    path = tmp_path_factory.mktemp('file') / 'published.pth'
    torch.save({'model': transfer.to_host(state, 'official')}, path)
    return path, state


def test_all_of_it_arrives(host, published):
    path, state = published
    own = host(path).state_dict()
    assert own.keys() == state.keys()
    assert all(torch.equal(own[name], state[name]) for name in own)


@pytest.mark.parametrize('kind', ['foreign', 'empty', 'backbone alone'])
def test_other_files_are_refused(host, published, tmp_path, kind):
    content = dict(torch.load(published[0])['model'])
    if kind == 'backbone alone':
        content = transfer.backbone_only(content)
    else:
        content = {} if kind == 'empty' else {'conv1.weight': torch.ones(3)}
    path = tmp_path / 'other.pth'
    torch.save({'state_dict': content}, path)
    with pytest.raises(UserError, match=r'other\.pth'):
        host(path)
