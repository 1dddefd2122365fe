"""Products with packed weights: same outputs, and when they are taken."""

import copy

import pytest
import torch

from mmuniformer import fuse
from mmuniformer.errors import UserError
from mmuniformer.fast import products

from ..models.tiny import build, images

needs_onednn = pytest.mark.skipif(
    not products.has_onednn(), reason='this PyTorch has no oneDNN'
)


@pytest.fixture
def packed(monkeypatch):
    """Weights that were asked for in packed form."""
    weights = []
    pack = products.pack
    monkeypatch.setattr(
        products, 'pack', lambda weight: weights.append(weight) or pack(weight)
    )
    return weights


def outputs(model, x):
    with torch.inference_mode():
        outs = model(x)
    return outs if isinstance(outs, tuple) else (outs,)


@needs_onednn
@pytest.mark.parametrize(
    'name', ['global', 'hybrid', 'conv_stem', 'layer_scale', 'light']
)
def test_both_libraries_give_the_same(name, choice, packed):
    model = fuse(build(name).float().eval())
    x = images(model).float()
    choice('blas')
    wanted = outputs(model, x)
    assert packed == []
    choice('onednn')
    found = outputs(model, x)
    places = {weight.data_ptr() for weight in packed}
    assert model.blocks1[0].mlp.fc1.weight.data_ptr() in places
    assert model.blocks3[0].attn.qkv.weight.data_ptr() in places
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
    products.by_packed(x, products.pack(layer.weight), layer.bias)
    with torch.no_grad():
        layer.weight.mul_(2)
        wanted = layer(x)
        found = products.by_packed(x, products.pack(layer.weight), layer.bias)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@needs_onednn
def test_a_used_model_is_copied(choice):
    choice('onednn')
    model = fuse(build('global').float().eval())
    x = images(model).float()
    wanted = outputs(model, x)
    found = outputs(copy.deepcopy(model), x)
    assert all(map(torch.equal, found, wanted))


@needs_onednn
def test_gradients_are_the_same_by_both(choice):
    model = build('global').float().train()
    x = images(model).float()
    grads = []
    for name in products.LIBRARIES:
        choice(name)
        model.zero_grad()
        sum(out.square().mean() for out in model(x)).backward()
        grads.append([p.grad.clone() for p in model.parameters()])
    for a, b in zip(*grads):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@needs_onednn
@pytest.mark.parametrize('packing', ['', products.PACKED])
def test_rows_of_half_precision(packing, choice):
    rows, weight, bias = (
        torch.randn(size).bfloat16() for size in [(24, 16), (8, 16), (8,)]
    )
    found = []
    for name in products.LIBRARIES:
        choice(name)
        with torch.no_grad():
            found.append(products.product(rows, weight, bias, packing, True))
    torch.testing.assert_close(*found, rtol=0.02, atol=0.02)


def test_weights_of_gone_models_are_not_kept():
    products._packed.clear()
    for _ in range(3):
        products.pack(torch.randn(8, 8))
    assert len(products._packed) == 1


def test_the_faster_one_is_measured(monkeypatch):
    ticks = iter([0, 0] + [0, 2, 2, 3] * products.TIMES)
    monkeypatch.setattr(products.time, 'perf_counter', lambda: next(ticks))
    assert products.measure(torch.float32, 'plain') == 'onednn'


@needs_onednn
def test_the_first_step_may_be_one_of_recomputation(monkeypatch):
    """What is measured in it is no part of what it saves."""
    monkeypatch.delenv(products.VARIABLE, raising=False)
    products._library.cache_clear()
    model = build('global').float().train()
    model.set_grad_checkpointing()
    sum(out.mean() for out in model(images(model).float())).backward()
    assert products._library.cache_info().currsize


def test_the_choice_is_kept_in_a_file(choice, monkeypatch, tmp_path):
    path = tmp_path / 'products.json'
    asked = []
    monkeypatch.setattr(
        products, 'measure', lambda *args: asked.append(args) or 'onednn'
    )
    for _ in range(2):
        choice(str(path))
        assert products._library(2, torch.float32, 'packed') == 'onednn'
    assert asked == [(torch.float32, 'packed')]


def test_another_value_of_the_variable(choice):
    choice('mkl')
    with pytest.raises(UserError, match="MMUNIFORMER_PRODUCTS='mkl': wanted"):
        products._library(1, torch.float32, 'plain')
