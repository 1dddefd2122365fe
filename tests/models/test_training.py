"""What training draws, keeps and starts from."""

import pytest
import torch
from torch import nn

from mmuniformer.fast import recompute
from mmuniformer.models import UniFormer, UniFormerLight
from mmuniformer.models.layers import DropPath
from mmuniformer.models.tokens import to_channels_last

from .. import TINY
from .tiny import LIGHT, SIZE, VARIANTS, build, gradients, images, tensors

KINDS = pytest.mark.parametrize('variant', ['global', 'light', 'video'])
DRAWS = 4000


@pytest.mark.parametrize('shape', [(8, 2, 2), (8, 3), (8, 2, 2, 2)])
def test_drop_path_drops_samples_at_its_rate_and_rescales_the_others(shape):
    torch.manual_seed(0)
    layer = DropPath(0.25).train()
    out = layer(torch.ones(DRAWS, *shape))
    samples = out.flatten(1)
    assert (samples == samples[:, :1]).all()  # one draw per sample
    values = samples[:, 0]
    kept = values != 0
    # Of 4000 draws the share has a standard deviation of 0.007.
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert torch.allclose(values[kept], torch.tensor(1 / 0.75))


@KINDS
def test_blocks_drop_both_branches_of_a_sample_on_their_own(variant):
    model = build(variant).eval()
    block = (model.blocks3 if variant == 'light' else model.blocks1)[-1]
    seen = []
    block.register_forward_pre_hook(lambda _, args: seen.append(args))
    model(images(model, batch=1))
    (state,) = seen[0]
    state = state if isinstance(state, tuple) else (state,)
    if variant != 'light':  # a part of the map, for time
        state = (state[0][..., :2, :2],)
    many = [value.detach().expand(3000, *value.shape[1:]) for value in state]
    block.drop_path.rate = 0.4
    torch.manual_seed(0)

    def added(values):
        values = values if len(values) > 1 else values[0]
        with torch.no_grad():
            return tensors(block(values))[0].flatten(1)

    block.train()
    for module in block.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    got = added(many)
    outcomes = {tuple(row) for row in got[:, :3].mul(1e6).round().tolist()}
    assert len(outcomes) == 4  # both branches, one, the other, none
    shares = [
        (got[:, :3].mul(1e6).round() == torch.tensor(o)).all(1).double().mean()
        for o in outcomes
    ]
    expected = sorted([0.36, 0.24, 0.24, 0.16])
    assert sorted(shares) == pytest.approx(expected, abs=0.04)


@KINDS
def test_drop_path_rates_grow_evenly_over_the_blocks_of_all_stages(variant):
    model = build(variant, drop_path_rate=0.5)
    stages = [getattr(model, f'blocks{i}') for i in range(1, 5)]
    rates = [block.drop_path.rate for stage in stages for block in stage]
    steps = len(rates) - 1
    assert rates == pytest.approx([0.5 * i / steps for i in range(steps + 1)])


@KINDS
def test_drop_path_is_off_in_evaluation(variant):
    plain, dropping = build(variant), build(variant, drop_path_rate=0.9)
    x = images(plain)
    got, wanted = tensors(dropping.eval()(x)), tensors(plain.eval()(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize('cls', [UniFormer, UniFormerLight])
@pytest.mark.parametrize('ndim', [2, 3])
def test_linear_layers_start_from_truncated_normals(cls, ndim):
    torch.manual_seed(0)
    arch = dict(TINY, depths=(1, 1, 2, 2), embed_dims=(8, 16, 64, 128))
    model = cls(arch, ndim=ndim)
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    weights = torch.cat([m.weight.flatten() for m in layers])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().abs() < 1e-4
    assert all((m.bias == 0).all() for m in layers)
    assert all(m.weight.std().item() < 0.022 for m in layers)


@pytest.mark.parametrize(
    ('given', 'arch', 'wanted'),
    [
        (None, SIZE, None),
        (0.1, SIZE, 0.1),
        (None, dict(SIZE, layer_scale=(True,) * 4), 1e-6),
        (0.3, dict(SIZE, layer_scale=(True,) * 4), 0.3),
    ],
)
@pytest.mark.parametrize('ndim', [2, 3])
def test_layer_scales_start_from_the_given_value(given, arch, wanted, ndim):
    model = UniFormer(arch, ndim=ndim, layer_scale_init_value=given)
    values = [p for n, p in model.named_parameters() if 'gamma' in n]
    assert len(values) == (2 * sum(arch['depths']) if wanted else 0)
    assert all(torch.equal(v, torch.full_like(v, wanted)) for v in values)


def test_tokens_start_from_zero_and_norms_from_the_identity():
    model = UniFormerLight(LIGHT, with_cls_token=True)
    assert (model.cls_token == 0).all()
    for module in model.modules():
        if isinstance(module, (nn.LayerNorm, nn.modules.batchnorm._BatchNorm)):
            assert (module.weight == 1).all() and (module.bias == 0).all()


@pytest.mark.parametrize('variant', VARIANTS)
def test_statistics_with_recomputation_are_those_without(variant):
    runs = []
    for with_cp in (False, True):
        model = build(variant, with_cp=with_cp, drop_path_rate=0.3).train()
        torch.manual_seed(0)
        gradients(model, images(model))
        runs.append(dict(model.named_buffers()))
    torch.testing.assert_close(runs[1], runs[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_blocks_are_recomputed_in_training_alone(mode):
    model = build('global', with_cp=True).train(mode == 'train')
    calls = []
    for name in '1234':
        block = getattr(model, f'blocks{name}')[0]
        block.norm2.register_forward_hook(lambda *_: calls.append(1))
    gradients(model, images(model))
    assert len(calls) == (8 if mode == 'train' else 4)


@KINDS
def test_autocast_gives_low_precision_in_inference(variant):
    """On each path the layers choose their dtype, as in training."""
    model = build(variant).float().eval()
    x = images(model).float()
    with torch.autocast('cpu', torch.bfloat16):
        wanted = tensors(model(x))
        with torch.no_grad():
            got = tensors(model(x))
    assert [v.dtype for v in got] == [v.dtype for v in wanted]
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize(('size', 'warns'), [(47, True), (48, False)])
def test_a_warning_comes_with_maps_below_the_window_alone(
    size, warns, recwarn
):
    build('window')(torch.zeros(1, 3, size, 64, dtype=torch.float64))
    found = [w for w in recwarn if 'window_size=3' in str(w.message)]
    assert bool(found) == warns


@pytest.mark.parametrize('ndim', [2, 3])
def test_what_gelu_keeps_has_the_strides_that_it_had(ndim):
    """Of a batch of one, too: else gradients change their layout."""
    x = to_channels_last(torch.randn(1, 8, *(6,) * ndim)).requires_grad_()
    assert recompute._Kept.apply(x).stride() == x.stride()


def test_recomputation_is_turned_on_and_off():
    model = build('global')
    model.set_grad_checkpointing()
    assert model.checkpointed == model.arch.depths
    model.set_grad_checkpointing(False)
    assert model.checkpointed == (0, 0, 0, 0)
