"""What must hold for every kind of model, whatever its weights."""

import threading

import pytest
import torch
from torch import nn

from mmuniformer.models import UniFormerLight
from mmuniformer.models.layers import Mlp

from . import tiny
from .tiny import VARIANTS, build, gradients, images, tensors

LIGHT = [name for name in VARIANTS if name.startswith('light')]
ALL = pytest.mark.parametrize('variant', VARIANTS)


def assert_same(got, wanted, tolerance=1e-9):
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)


def inflate_centre(state, model):
    """2D weights for a 3D model: zero but for the middle of the time."""
    inflated = {}
    for name, wanted in model.state_dict().items():
        value = state[name]
        if value.ndim == 4 and value.shape[1:] == (1, 1, 1):  # layer scale
            value = value[..., None]
        elif value.ndim == 4 and wanted.ndim == 5:
            middle = torch.zeros_like(wanted)
            middle[:, :, wanted.shape[2] // 2] = value
            value = middle
        inflated[name] = value.reshape(wanted.shape)
    return inflated


# Pruning sees each token once per frame, so that a light model agrees with
# itself in 2D for a single frame after the stem, from two before it.
@pytest.mark.parametrize(
    ('variant', 'frames'),
    [
        ('global', 4),
        ('conv_stem', 4),
        ('layer_scale', 4),
        ('dense', 4),
        ('light', 2),
        ('light_cls', 2),
        ('light_dense', 2),
    ],
)
def test_still_clip_equals_its_image(variant, frames):
    flat = build(variant).eval()
    deep = build(variant, ndim=3).eval()
    deep.load_state_dict(inflate_centre(flat.state_dict(), deep))
    x = images(flat)
    clip = x[:, :, None].expand(-1, -1, frames, -1, -1)
    for wanted, got in zip(tensors(flat(x)), tensors(deep(clip))):
        if wanted.ndim == 4:
            wanted = wanted[:, :, None].expand_as(got)
        assert_same(got, wanted)


@pytest.mark.parametrize('attention', ['window', 'hybrid'])
def test_window_as_large_as_the_map_equals_global(attention):
    windowed = build('global', attention=attention, window_size=4)
    everywhere = build('global')
    x = images(everywhere)  # 4 x 4 tokens in stage 3
    assert_same(windowed(x), everywhere(x))


def test_smaller_window_is_another_function():
    windowed = build('global', attention='window', window_size=2)
    everywhere = build('global')
    x = images(everywhere)
    assert (windowed(x)[0] - everywhere(x)[0]).abs().max() > 1e-3


def test_pruning_is_another_function():
    x = images(build('light'))
    pruned, full = build('light'), build('light', keep_ratio=1)
    assert (pruned(x)[0] - full(x)[0]).abs().max() > 1e-3


@ALL
def test_every_parameter_gets_a_gradient(variant):
    model = build(variant)
    _, found = gradients(model, images(model))
    without = [
        name
        for name, grad in found.items()
        if grad is None or not grad.abs().sum() > 0
    ]
    # A bias right before a BatchNorm is a parameter in name only.
    assert [n for n in without if n != 'patch_embed1.proj.0.bias'] == []


@ALL
@pytest.mark.parametrize('with_cp', [True, (1, 0, 1, 1)])
def test_checkpointed_equals_plain_with_gradients(variant, with_cp):
    runs = []
    for option in (False, with_cp):
        model = build(variant, with_cp=option, drop_path_rate=0.3)
        torch.manual_seed(0)
        runs.append(gradients(model, images(model)))
    assert_same(runs[1], runs[0])


def test_checkpointing_recomputes_the_blocks():
    model = build('light', with_cp=(0, 1, 2, 0))
    calls = []
    for name in ('blocks1', 'blocks2', 'blocks3', 'blocks4'):
        for block in getattr(model, name):
            block.norm1.register_forward_hook(
                lambda *_, name=name: calls.append(name)
            )
    gradients(model, images(model))
    counts = [calls.count(f'blocks{i}') for i in range(1, 5)]
    assert counts == [1, 2, 4, 2]


def test_output_of_gelu_is_computed_again_in_the_backward_pass(monkeypatch):
    """It is the largest tensor of a step; its input is kept."""
    calls = []
    gelu = nn.functional.gelu
    monkeypatch.setattr(
        nn.functional, 'gelu', lambda x: calls.append(len(x)) or gelu(x)
    )
    mlp = Mlp(4, 8)
    out = mlp(torch.randn(2, 3, 4)).sum()
    assert len(calls) == 1
    out.backward()
    assert len(calls) == 2


@ALL
def test_backward_in_eval_mode(variant):
    model = build(variant).eval()
    _, found = gradients(model, images(model))
    assert all(grad.isfinite().all() for grad in found.values())


@ALL
def test_gradients_of_a_batch_of_one_equal_those_in_a_batch(variant):
    """Torch 2.11 errs in BatchNorm if the one map has unusual strides."""
    model = build(variant).eval()
    x = images(model)

    def gradient(batch):
        batch = batch.clone().requires_grad_()
        outputs = [out[:1] for out in tensors(model(batch))]
        sum(out.square().sum() for out in outputs).backward()
        return batch.grad[:1]

    assert_same(gradient(x[:1]), gradient(x))


@pytest.mark.parametrize('variant', ['light', 'light_video'])
def test_interleaved_models_equal_each_alone(variant):
    outer, inner = build(variant), build(variant)
    inner.cls_token.data.neg_()
    x, other = images(outer), images(inner, batch=3, size=96, seed=1)
    wanted = gradients(outer, x), gradients(inner, other)
    got = []
    outer.blocks3[0].register_forward_hook(
        lambda *_: got.append(gradients(inner, other))
    )
    got.insert(0, gradients(outer, x))
    assert_same(got, list(wanted))


@pytest.mark.parametrize('variant', ['global', 'light', 'light_video'])
def test_two_threads_equal_each_alone(variant):
    models = [build(variant, with_cp=True) for _ in range(2)]
    inputs = [images(models[0], seed=seed) for seed in range(2)]
    wanted = [gradients(m, x) for m, x in zip(models, inputs)]
    got = [None, None]
    start = threading.Barrier(2)

    def work(i):
        start.wait()
        for _ in range(3):
            got[i] = gradients(models[i], inputs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_same(got, wanted)


@pytest.mark.parametrize('variant', LIGHT)
def test_pruning_leaves_no_trace_in_the_model(variant):
    model = build(variant).eval()
    x = images(model)
    before = tensors(model(x))
    model(images(model, batch=1, size=96, seed=1))
    assert_same(tensors(model(x)), before, 0)
    assert not [
        m
        for m in model.modules()
        if vars(m)['_buffers']
        and not isinstance(m, nn.modules.batchnorm._BatchNorm)
    ]


@ALL
def test_autocast_trains(variant):
    model = build(variant).float()
    # Not four frames: for maps of two, torch 2.11 leaves the gradient of a
    # depth-wise convolution unset (bfloat16, channels-last, on the CPU).
    x = images(model, frames=8).float()
    with torch.autocast('cpu', torch.bfloat16):
        outputs = tensors(model(x))
        loss = sum(out.float().square().mean() for out in outputs)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@ALL
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_pure_low_precision_keeps_its_type(variant, dtype):
    model = build(variant).to(dtype).eval()
    with torch.no_grad():
        outputs = tensors(model(images(model).to(dtype)))
    assert {out.dtype for out in outputs} == {dtype}


def test_light_maps_in_bfloat16_are_near_those_in_float64():
    """With an image that is large enough to scramble indices in bf16."""
    model = UniFormerLight('xxs', **tiny.DENSE).eval().double()
    state = {
        name: torch.from_numpy(tiny.fill.tensor(name, value.shape))
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(state)
    x = torch.from_numpy(tiny.fill.model_input('bf16', (1, 3, 512, 640)))
    with torch.no_grad():
        wanted = model(x)
        got = model.bfloat16()(x.bfloat16())
    errors = [
        ((a.double() - b).norm() / b.norm()).item()
        for a, b in zip(got, wanted)
    ]
    assert max(errors) < 0.02, errors
