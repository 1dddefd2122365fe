"""What timm asks of its models, of ours by ``import mmuniformer.timm``.

`python -m tests.zoo.test_timm` asks all names.
"""

import pytest
import timm
import torch
from timm.layers import set_layer_config

import mmuniformer.timm

NAMES = ['uniformer_xxs_128', 'uniformer_small_tl_224']
SIDE = 64


def picture(batch=1, side=SIDE):
    return torch.randn(batch, 3, side, side)


def contract(name):
    """Forward, features, gradients, checkpointing, other heads, tracing."""
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=42).train()
    model(picture(2)).mean().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None]
    assert without == []
    model.eval()
    x = picture()
    with torch.no_grad():
        logits = model(x)
        assert logits.shape == (1, 42) and logits.isfinite().all()
        intermediates(model, x)
        features_only(name, x)
        with set_layer_config(scriptable=True):
            traced = torch.jit.trace(model, x)
        y = picture()
        torch.testing.assert_close(traced(y), model(y))
    checkpointing(model, x)
    defaults(model)
    heads(model, x)


def intermediates(model, x):
    last, maps = model.forward_intermediates(x)
    torch.testing.assert_close(last, model.forward_features(x))
    info = timm.models.FeatureInfo(model.feature_info, 4)
    assert [m.shape[1] for m in maps] == info.channels()
    assert [SIDE // m.shape[2] for m in maps] == info.reduction()
    alone = model.forward_intermediates(x, intermediates_only=True)
    torch.testing.assert_close(alone, maps)
    torch.testing.assert_close(model.forward_head(last), model(x))


def features_only(name, x):
    model = timm.create_model(name, features_only=True).eval()
    info, maps = model.feature_info, model(x)
    assert [m.shape[1] for m in maps] == info.channels()
    assert [SIDE // m.shape[2] for m in maps] == info.reduction()


def checkpointing(model, x):
    gradients = []
    for on in (False, True):
        model.set_grad_checkpointing(on)
        model.zero_grad()
        model(x).mean().backward()
        gradients.append(
            [p.grad.clone() for p in model.parameters() if p.grad is not None]
        )
    torch.testing.assert_close(*gradients)


def defaults(model):
    cfg, names = model.default_cfg, model.state_dict()
    assert {'input_size', 'crop_pct', 'interpolation', 'mean', 'std'} <= {*cfg}
    assert f'{cfg["classifier"]}.weight' in names
    assert f'{cfg["first_conv"]}.weight' in names
    assert set(model.no_weight_decay()) <= {*names}


def heads(model, x):
    with torch.no_grad():
        features = model.forward_features(x)
        model.reset_classifier(7)
        assert model(x).shape == (1, 7)
        model.reset_classifier(0)
        assert model(x).shape == (1, model.num_features)
        model.reset_classifier(0, '')
        assert torch.equal(model(x), features)
    assert model.num_classes == 0


@pytest.mark.parametrize('name', NAMES)
def test_timms_contract(name):
    contract(name)


def test_timm_builds_a_network_for_maps_without_pooling():
    model = timm.create_model(NAMES[0], num_classes=0, global_pool='').eval()
    assert model(picture()).shape == (1, model.num_features, 2, 2)


def test_all_classifiers_of_pictures_are_registered():
    names = mmuniformer.list_models(task='cls')
    assert len(names) == 22
    assert set(names) <= set(timm.list_models(module='timm'))
    assert timm.is_model('uniformer_small')


if __name__ == '__main__':
    for each in mmuniformer.timm.__all__:
        contract(each)
        print(each, 'ok', flush=True)
