"""What the hosts' own tests of backbones assert, asked of ours."""

import pytest
import torch
from torch import nn

from mmuniformer import UniFormer, UniFormerLight
from mmuniformer.errors import UserError

from ..models import tiny

KINDS = ['global', 'window', 'hybrid', 'conv_stem', 'layer_scale']
LIGHTS = ['light', 'light_cls']


def images(size=64):
    return torch.randn(1, 3, size, size)


def maps(outputs):
    """Without the class token that a light model has beside its map."""
    return [m[0] if isinstance(m, (tuple, list)) else m for m in outputs]


def build(kind, **kwargs):
    cls, arch, defaults = tiny.VARIANTS[kind]
    model = cls(arch, **{**defaults, **kwargs})
    model.init_weights()
    return model


@pytest.mark.parametrize('kind', [*KINDS, *LIGHTS])
def test_one_output_comes_in_a_tuple(kind):
    outputs = build(kind).train()(images())
    assert isinstance(outputs, tuple)
    assert maps(outputs)[0].shape == (1, 32, 2, 2)


@pytest.mark.parametrize('kind', KINDS)
def test_outputs_of_all_stages(kind):
    outputs = build(kind, out_indices=(0, 1, 2, 3))(images())
    shapes = [tuple(out.shape) for out in outputs]
    assert shapes == [
        (1, 8, 16, 16),
        (1, 16, 8, 8),
        (1, 24, 4, 4),
        (1, 32, 2, 2),
    ]


@pytest.mark.parametrize('kind', KINDS)
def test_an_index_and_a_tuple_of_it_give_the_same(kind):
    one, other = build(kind, out_indices=3), build(kind, out_indices=(3,))
    other.load_state_dict(one.state_dict())
    x = images()
    (a,), (b,) = one.eval()(x), other.eval()(x)
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize('kind', [*KINDS, 'light'])
@pytest.mark.parametrize('stages', [-1, 1, 4])
def test_frozen_stages(kind, stages):
    """Embedding and blocks of each: in eval, without gradients."""
    model = build(kind, frozen_stages=stages)
    model.train()
    for stage in range(1, 5):
        for name in (f'patch_embed{stage}', f'blocks{stage}'):
            part = getattr(model, name)
            frozen = stage <= stages
            assert part.training != frozen
            assert {p.requires_grad for p in part.parameters()} == {not frozen}


@pytest.mark.parametrize('kind', KINDS)
def test_norm_eval_keeps_statistics(kind):
    model = build(kind, norm_eval=True).train()
    kinds = nn.modules.batchnorm._BatchNorm
    norms = [m for m in model.modules() if isinstance(m, kinds)]
    assert norms and not any(norm.training for norm in norms)
    assert model.blocks1.training


def test_drop_paths_grow_from_block_to_block():
    model = build('global', drop_path_rate=0.3)
    rates = [
        block.drop_path.rate
        for stage in range(1, 5)
        for block in getattr(model, f'blocks{stage}')
    ]
    last = len(rates) - 1
    assert rates == pytest.approx([0.3 * i / last for i in range(last + 1)])


@pytest.mark.parametrize('cls', [UniFormer, UniFormerLight])
@pytest.mark.parametrize(
    'arch', ['unknown', dict(depths=(1, 1)), dict(channels=(2, 3, 4, 5))]
)
def test_unknown_architectures_are_refused(cls, arch):
    with pytest.raises(UserError, match=r'arch|depths'):
        cls(arch)


@pytest.mark.parametrize('kind', [*KINDS, 'light'])
def test_checkpointing_gives_the_same_gradients(kind):
    plain, spared = build(kind), build(kind, with_cp=True)
    spared.load_state_dict(plain.state_dict())
    x = images()
    for model in (plain, spared):
        maps(model.train()(x))[-1].square().mean().backward()
    for one, other in zip(
        plain.parameters(), spared.parameters(), strict=True
    ):
        if one.grad is not None:
            torch.testing.assert_close(one.grad, other.grad)


def test_video_as_mmaction2_tests_its_port():
    """Sizes and shape of its ``test_uniformer.py``."""
    model = UniFormer(
        dict(depths=(3, 4, 8, 3), embed_dims=(64, 128, 320, 512), head_dim=64),
        ndim=3,
        drop_path_rate=0.1,
    )
    model.init_weights()
    with torch.no_grad():
        found = model.eval()(torch.rand(1, 3, 16, 64, 64))
    assert found.shape == (1, 512, 8, 2, 2)
