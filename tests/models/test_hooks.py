"""Every module is called, and what is hooked computes the same."""

from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_module

from .tiny import VARIANTS, build, gradients, images, tensors

ALL = pytest.mark.parametrize('variant', VARIANTS)
MODES = pytest.mark.parametrize('mode', ['train', 'eval', 'inference'])


def run(model, mode):
    """Outputs in training, in evaluation, or without gradients as well."""
    model.train(mode == 'train')
    with torch.set_grad_enabled(mode != 'inference'):
        return tensors(model(images(model)))


def flat(values):
    """All tensors of nested inputs or outputs."""
    if torch.is_tensor(values):
        return [values]
    return [] if values is None else [t for v in values for t in flat(v)]


def wanted_calls(model):
    """One each; both branches of a block go through its drop path."""
    return {
        name: 2 if name.endswith('drop_path') else 1
        for name, _ in model.named_modules()
    }


def watch(model, register):
    """Counts the calls of hooks, by the name of the module."""
    calls = Counter()
    for name, module in model.named_modules():
        getattr(module, register)(lambda *_, name=name: calls.update([name]))
    return calls


@ALL
@MODES
@pytest.mark.parametrize(
    'register', ['register_forward_hook', 'register_forward_pre_hook']
)
def test_hooks_of_all_modules_fire_once_per_call(variant, mode, register):
    wanted = run(build(variant), mode)
    model = build(variant)
    calls = watch(model, register)
    got = run(model, mode)
    assert calls == wanted_calls(model)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


@ALL
@pytest.mark.parametrize(
    'register',
    ['register_full_backward_hook', 'register_full_backward_pre_hook'],
)
def test_backward_hooks_of_all_modules_fire_once(variant, register):
    plain, model = build(variant).train(), build(variant).train()
    x = images(model)
    wanted = gradients(plain, x)
    calls = watch(model, register)
    got = gradients(model, x)
    expected = wanted_calls(model)
    if getattr(model, 'with_cls_token', False) and model.ndim == 2:
        del expected['']  # torch has no such hooks for a tuple in a tuple
    assert calls == expected
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize('variant', ['hybrid', 'light_cls', 'video'])
def test_hooks_of_all_modules_in_torch_itself(variant):
    model = build(variant)
    wanted, calls = run(model, 'inference'), Counter()
    names = {module: name for name, module in model.named_modules()}
    handle = torch_module.register_module_forward_hook(
        lambda module, *_: calls.update([names[module]])
    )
    with handle:
        got = run(model, 'inference')
    assert calls == wanted_calls(model)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize('variant', ['hybrid', 'light', 'video'])
@pytest.mark.parametrize('mode', ['eval', 'inference'])
def test_what_hooks_keep_is_not_changed_later(variant, mode):
    """A sum in place would change what somebody has kept."""
    model = build(variant)
    kept = []

    def keep(_, inputs, output):
        for tensor in flat([*inputs, output]):
            kept.append((tensor, tensor.detach().clone()))

    for module in model.modules():
        module.register_forward_hook(keep)
    run(model, mode)
    assert all(torch.equal(tensor, copy) for tensor, copy in kept)


@ALL
def test_recomputed_blocks_fire_again_and_compute_the_same(variant):
    wanted = gradients(build(variant).train(), images(build(variant)))
    model = build(variant, with_cp=True).train()
    calls = watch(model, 'register_forward_hook')
    got = gradients(model, images(model))
    assert set(calls) == set(wanted_calls(model))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


@pytest.mark.parametrize(
    'name', ['blocks1.0.mlp.fc1', 'blocks1.0.conv2', 'blocks3.0.mlp.fc2']
)
def test_parametrised_layers_compute_themselves(name):
    model = build('global').eval()
    layer = model.get_submodule(name)
    nn.utils.parametrize.register_parametrization(layer, 'weight', Doubled())
    wanted = run(model, 'eval')
    torch.testing.assert_close(
        run(model, 'inference'), wanted, rtol=0, atol=1e-10
    )


@pytest.mark.parametrize('name', ['blocks1.0.mlp', 'blocks3.1.attn.proj', ''])
def test_replaced_methods_are_called(name):
    model = build('global').eval()
    module = model.get_submodule(name)
    forward, calls = module.forward, []

    def replaced(x):
        calls.append(name)
        return forward(x)

    module.forward = replaced
    run(model, 'inference')
    assert calls == [name]


def test_dynamically_quantised_layers_compute_themselves():
    model = build('global').float().eval()
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear})
    x = images(model).float()
    wanted = tensors(quantised(x))
    with torch.no_grad():
        got = tensors(quantised(x))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
