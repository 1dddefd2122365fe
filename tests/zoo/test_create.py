"""Plain models equal the hosts' with the same weights."""

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

from mmuniformer.errors import UserError
from mmuniformer.weights import files, load
from mmuniformer.zoo import create_model, create_transform
from mmuniformer.zoo.names import find_model

from .. import ROOT

CLASSIFIERS = {
    'uniformer_small_in1k': (64, 64),
    'uniformer_xxs_128_in1k': (64, 64),
    'uniformer_small_tl_224': (64, 96),
    'uniformer_xxs4_128_k400': (4, 64, 64),
}
SEGMENTORS = ['upernet_hybrid_small', 'fpn_xxs']


def host_model(name):
    """The model of a recipe as its host builds it, in eval mode."""
    from mmengine.config import Config

    cfg = Config.fromfile(ROOT / f'configs/{find_model(name).config}.py')
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    for key in ('decode_head', 'auxiliary_head'):
        if key in cfg.model:
            cfg.model[key].norm_cfg = dict(type='BN')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).double().eval()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                value.uniform_(0.5, 1) if 'var' in key else value.normal_(
                    0, 0.05
                )
    return model


def same_weights(model, name, tmp_path):
    """Loads a host model's weights by a file in the authors' form."""
    path = tmp_path / f'{name}.pth'
    files.write(path, model.state_dict(), 'model')
    ours = create_model(name).double().eval()
    load.load(ours, str(path))
    return ours


@pytest.mark.parametrize('name', CLASSIFIERS)
def test_a_classifier_equals_the_hosts(name, tmp_path):
    theirs = host_model(name)
    ours = same_weights(theirs, name, tmp_path)
    x = torch.randn(2, 3, *CLASSIFIERS[name], dtype=torch.float64)
    with torch.no_grad():
        if x.ndim == 4:
            wanted = theirs(x, mode='tensor')
        else:
            feats = theirs.extract_feat(x[:, None])[0]
            wanted = theirs.cls_head(feats)
        found = ours(x)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('name', SEGMENTORS)
def test_a_segmentor_equals_mmsegs(name, tmp_path):
    theirs = host_model(name)
    ours = same_weights(theirs, name, tmp_path)
    x = torch.randn(1, 3, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        wanted = theirs(x, mode='tensor')
        found = ours.decode_head(ours.forward_features(x))
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_maps_have_the_channels_and_strides_that_are_told():
    model = create_model(
        'mask_rcnn_1x_hybrid_small', features_only=True, out_indices=(1, 3)
    ).eval()
    maps = model(torch.randn(1, 3, 64, 64))
    assert [m.shape[1] for m in maps] == [
        info['num_chs'] for info in model.feature_info
    ]
    assert [64 // m.shape[2] for m in maps] == [
        info['reduction'] for info in model.feature_info
    ]


@pytest.fixture(scope='module')
def light():
    return create_model('uniformer_xxs', num_classes=7).eval()


def test_pooled_features(light):
    x = torch.randn(2, 3, 64, 64)
    features = light.forward_features(x)
    pooled = light.forward_head(features, pre_logits=True)
    assert pooled.shape == (2, light.num_features)
    torch.testing.assert_close(light.head(pooled), light(x))


def test_a_new_classifier(light):
    light.reset_classifier(0)
    assert light(torch.randn(1, 3, 64, 64)).shape == (1, 448)
    light.reset_classifier(7)
    assert light(torch.randn(1, 3, 64, 64)).shape == (1, 7)
    assert light.get_classifier().out_features == 7


def test_intermediates_are_those_of_the_forward_pass(light):
    x = torch.randn(1, 3, 64, 64)
    last, maps = light.forward_intermediates(x, indices=2)
    assert [m.shape[1] for m in maps] == [224, 448]
    torch.testing.assert_close(light.forward_head(last), light(x))


def test_every_parameter_learns(light):
    light.train()
    light(torch.randn(2, 3, 64, 64)).sum().backward()
    without = [n for n, p in light.named_parameters() if p.grad is None]
    light.eval()
    assert without == []


def test_a_clip_from_image_weights(tmp_path):
    image = create_model('uniformer_s', num_classes=3)
    path = tmp_path / 'image.pth'
    files.write(path, image.state_dict(), 'model')
    video = create_model('uniformer_s', str(path), ndim=3, num_classes=3)
    assert video.eval()(torch.randn(1, 3, 4, 32, 32)).shape == (1, 3)


@pytest.mark.parametrize(
    'arguments, said',
    [
        (dict(name='mask_rcnn_uniformer_b'), 'features_only=True'),
        (dict(name='uniformer_small_in1k', num_classes=-1), 'num_classes=-1'),
        (dict(name='uniformer_small_in1k', drop_rate=2.0), 'drop_rate=2.0'),
        (dict(name='uniformer_small_in21k'), 'uniformer_small_in1k'),
        (dict(name='uniformer_small_tl_384', pretrained=True), 'gdown'),
    ],
)
def test_bad_arguments(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    with pytest.raises(UserError, match=said):
        create_model(**arguments)


def test_a_name_is_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    folder = tmp_path / 'hub/checkpoints'
    folder.mkdir(parents=True)
    model = create_model('uniformer_small_in1k')
    with torch.no_grad():
        model.head.bias.fill_(0.25)
    files.write(folder / 'uniformer_small_in1k.pth', model.state_dict())
    again = create_model('uniformer_s', pretrained=True)
    assert again.head.bias.eq(0.25).all()


def test_the_test_transform():
    from PIL import Image

    out = create_transform('uniformer_s')(Image.new('L', (300, 400), 124))
    assert out.shape == (3, 224, 224)
    assert out.abs().max() < 0.4
