"""Products with packed weights: same outputs, and when they are taken."""

import copy

import pytest
import torch

from mmuniformer import fuse
from mmuniformer.errors import UserError
from mmuniformer.fast import inference, products

from ..models.tiny import build, images

needs_onednn = pytest.mark.skipif(
    not products._has_onednn(), reason='this PyTorch has no oneDNN'
)


@pytest.fixture
def choice(monkeypatch):
    """Fixes the library for one test."""

    def fix(name):
        monkeypatch.setenv(products.VARIABLE, name)
        products.library.cache_clear()

    yield fix
    products.library.cache_clear()


@pytest.fixture
def packed(monkeypatch):
    """Layers whose weights were asked for in packed form."""
    layers = []
    pack = products.pack
    monkeypatch.setattr(
        inference.products,
        'pack',
        lambda layer: layers.append(layer) or pack(layer),
    )
    return layers


def outputs(model, x):
    with torch.inference_mode():
        outs = model(x)
    return outs if isinstance(outs, tuple) else (outs,)


@needs_onednn
@pytest.mark.parametrize(
    'name', ['global', 'hybrid', 'conv_stem', 'layer_scale']
)
def test_both_libraries_give_the_same(name, choice, packed):
    model = fuse(build(name).float().eval())
    x = images(model).float()
    choice('blas')
    wanted = outputs(model, x)
    assert packed == []
    choice('onednn')
    found = outputs(model, x)
    assert model.blocks1[0].mlp.fc1 in packed
    assert model.blocks3[0].attn.qkv in packed
    for a, b in zip(found, wanted):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@needs_onednn
@pytest.mark.parametrize('change', ['hooked', 'not fused', 'float64', 'grad'])
def test_where_layers_are_called_as_they_are(change, choice, packed):
    choice('onednn')
    model = build('global').float().eval()
    x = images(model).float()
    if change != 'not fused':
        fuse(model)
    if change == 'hooked':
        for module in model.modules():
            module.register_forward_hook(lambda *_: None)
    if change == 'float64':
        model, x = model.double(), x.double()
    if change == 'grad':
        model(x)
    else:
        outputs(model, x)
    assert packed == []


@needs_onednn
def test_changed_weights_are_packed_anew():
    layer = torch.nn.Linear(8, 16)
    x = torch.randn(4, 8)
    products.linear(x, products.pack(layer), layer.bias)
    with torch.no_grad():
        layer.weight.mul_(2)
        wanted = layer(x)
        found = products.linear(x, products.pack(layer), layer.bias)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@needs_onednn
def test_a_used_model_is_copied(choice):
    choice('onednn')
    model = fuse(build('global').float().eval())
    x = images(model).float()
    wanted = outputs(model, x)
    found = outputs(copy.deepcopy(model), x)
    assert all(map(torch.equal, found, wanted))


def test_the_faster_one_is_measured(monkeypatch):
    monkeypatch.delenv(products.VARIABLE, raising=False)
    monkeypatch.setattr(products, '_has_onednn', lambda: True)
    seconds = iter([2.0, 1.0, 1.0, 2.0])
    monkeypatch.setattr(products, '_fastest', lambda way: next(seconds))
    monkeypatch.setattr(products, '_pack', lambda weight: weight)
    products.library.cache_clear()
    assert [products.library(1), products.library(2)] == ['onednn', 'blas']
    products.library.cache_clear()


def test_another_value_of_the_variable(choice):
    choice('mkl')
    with pytest.raises(UserError, match="MMUNIFORMER_PRODUCTS='mkl': wanted"):
        products.library(1)
