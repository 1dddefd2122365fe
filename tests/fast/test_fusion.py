"""Re-parameterisation, and what eager inference does in place."""

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer, fuse

from ..golden import Golden
from ..models import test_parity
from ..models.tiny import VARIANTS, build, images, tensors


@pytest.fixture(params=VARIANTS)
def model(request):
    return build(request.param, drop_path_rate=0.5).eval()


@pytest.mark.parametrize(
    'case', [case for case in test_parity.CASES if not case.endswith('train')]
)
def test_fused_equals_the_official_model(case):
    golden = Golden(case)
    model = fuse(test_parity.build(golden))
    with torch.no_grad():
        golden.check_outputs(model(golden.input()))


def test_fused_equals_unfused(model):
    x = images(model)
    wanted = tensors(model(x))
    with torch.no_grad():
        got = tensors(fuse(model)(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize('variant', ['window', 'light_video_scale'])
def test_padded_heads_change_nothing(variant):
    model = build(variant).eval()
    x = images(model)
    with torch.no_grad():
        wanted = tensors(model(x))
        got = tensors(fuse(model, head_multiple=3)(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)
    attn = model.blocks3[0].attn
    assert attn.qkv.out_features == 3 * attn.num_heads * 9  # 8 channels before


def test_fused_twice_is_fused_once(model):
    x = images(model)
    with torch.no_grad():
        wanted = tensors(fuse(model)(x))
        torch.testing.assert_close(tensors(fuse(model)(x)), wanted)


def test_fused_has_no_batch_norm_in_its_stages(model):
    names = [name for name, _ in fuse(model).named_buffers()]
    assert {name.split('.')[0] for name in names} <= {'norm'}


def test_inference_equals_the_graph_of_training(model, monkeypatch):
    monkeypatch.setattr('mmuniformer.fast.inference.TOKENS_AT_A_TIME', 7)
    x = images(model, batch=3)
    wanted = tensors(model(x))
    with torch.no_grad():
        got = tensors(model(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-11)


@pytest.mark.parametrize('gamma', [None, torch.rand(4).double()])
def test_operator_of_graphs_keeps_the_laws_of_operators(gamma):
    x, w1, b1, w2, b2 = (
        torch.randn(shape, dtype=torch.float64)
        for shape in [(2, 5, 4), (8, 4), (8,), (4, 8), (4,)]
    )
    operator = torch.ops.mmuniformer.add_mlp.default
    torch.library.opcheck(operator, (x, x + 1, w1, b1, w2, b2, gamma, ''))


def test_operator_of_layers_keeps_the_laws_of_operators():
    sizes = [(6, 4), (8, 4), (8,)]
    torch.library.opcheck(
        torch.ops.mmuniformer.linear.default,
        [
            *(torch.randn(size, dtype=torch.float64) for size in sizes),
            '',
            True,
        ],
    )


def test_inference_leaves_its_input_alone(model):
    x = images(model)
    before = x.clone()
    with torch.no_grad():
        model(x)
    assert torch.equal(x, before)


def test_drop_path_works_without_gradients():
    model = build('global', drop_path_rate=0.9, norm_eval=True).train()
    x = images(model)
    with torch.no_grad():
        assert not torch.equal(model(x)[0], model(x)[0])


@pytest.mark.parametrize('name', ['conv2', 'mlp.fc2'])
def test_inference_runs_hooks_of_last_layers(name):
    model = build('global').eval()
    seen = []
    layer = model.blocks1[0].get_submodule(name)
    layer.register_forward_hook(lambda *_: seen.append(1))
    with torch.no_grad():
        model(images(model, batch=1))
    assert seen


def test_fuse_refuses_training_mode():
    with pytest.raises(UserError, match='training mode'):
        fuse(build('global').train())


def test_fuse_refuses_other_models():
    with pytest.raises(UserError, match='wanted a UniFormer'):
        fuse(torch.nn.Linear(2, 2).eval())


def test_fused_refuses_to_train(model):
    with pytest.raises(UserError, match='cannot be trained'):
        fuse(model).train()


def test_fused_refuses_weights_of_unfused():
    state = build('global').state_dict()
    with pytest.raises(RuntimeError, match='Unexpected key'):
        fuse(build('global').eval()).load_state_dict(state)


def test_fuse_finds_the_backbone_of_a_whole_model():
    head = torch.nn.Linear(2, 2)
    model = torch.nn.Sequential(UniFormer('s'), head).eval()
    assert fuse(model)[0].fused
