"""Every config parses, fits together and has a row in the docs."""

import pytest
import torch
from mmengine.config import Config

from mmuniformer.models.arch import ARCHS, LIGHT_ARCHS
from mmuniformer.registry import MODELS

from .. import ROOT

LEAVES = sorted(
    path
    for path in (ROOT / 'configs').glob('*/*.py')
    if path.parent.name not in ('_base_', 'pure_python')
)
RECIPES = [path for path in LEAVES if 'toy' not in path.stem]
OURS = 'toy', 'finetune', 'layer_decay'  # not of the authors
SIZES = {**ARCHS, **LIGHT_ARCHS}


def is_own(path):
    return any(word in path.stem for word in OURS)


def name(path):
    return f'{path.parent.name}/{path.stem}'


@pytest.fixture(params=LEAVES, ids=name, scope='module')
def leaf(request):
    return request.param


@pytest.fixture(scope='module')
def backbone(leaf):
    cfg = Config.fromfile(leaf).model.backbone
    cfg.pop('init_cfg', None)
    with torch.device('meta'):
        return MODELS.build(cfg)


def test_what_follows_is_as_wide_as_the_backbone(leaf, backbone):
    model = Config.fromfile(leaf).model
    keys = ('neck', 'decode_head', 'head', 'cls_head')
    parts = [model.get(key) for key in keys]
    widths = next(x.in_channels for x in parts if x and 'in_channels' in x)
    dims = backbone.arch.embed_dims
    assert widths in (list(dims), dims[-1])


def test_docstring_gives_the_command(leaf):
    text = leaf.read_text()
    assert text.startswith('"""')
    assert f'configs/{name(leaf)}.py' in text.split('"""')[1]


# One of each kind: to write a config takes a second.
DUMPED = [
    'cls/uniformer_s_tl_384',
    'cls/uniformer_xxs_128',
    'det/cascade_mask_rcnn_uniformer_s_3x',
    'seg/upernet_uniformer_s',
    'pose/topdown_uniformer_b_448x320',
    'video/uniformer_xxs_4_160_k400',
    'video/uniformer_s_16x4_hmdb51',
]


@pytest.mark.parametrize('leaf', DUMPED)
def test_config_survives_dumping(leaf, tmp_path):
    cfg = Config.fromfile(ROOT / f'configs/{leaf}.py')
    cfg.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').to_dict() == cfg.to_dict()


@pytest.mark.parametrize('path', RECIPES, ids=name)
def test_name_agrees_with_the_size(path):
    name = path.stem.split('uniformer_')[1] + '_'
    size = max((s for s in SIZES if name.startswith(f'{s}_')), key=len)
    assert Config.fromfile(path).model.backbone.arch in (size, SIZES[size])


@pytest.mark.parametrize('path', RECIPES, ids=name)
def test_docs_have_a_row(path):
    pages = ('experiments', 'models', 'train')
    text = ''.join((ROOT / f'docs/{p}.md').read_text() for p in pages)
    assert f'configs/{name(path)}.py' in text


def test_no_address_of_a_weight_is_spelt_in_a_config():
    configs = (ROOT / 'configs').rglob('*.py')
    assert not [p for p in configs if 'http' in p.read_text()]
