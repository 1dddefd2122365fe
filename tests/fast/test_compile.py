"""torch.compile: no graph break, few graphs, the same outputs."""

import pytest
import torch
from torch._dynamo.utils import counters

from mmuniformer.fast import products
from mmuniformer.models import fuse

from ..models.tiny import VARIANTS, build, images, tensors


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    counters.clear()


def graphs():
    return counters['stats']['unique_graphs']


def compiled(model):
    """Fails at a graph break. What is traced matters here, not the code."""
    model.compile(fullgraph=True, backend='eager')
    return model


@pytest.mark.parametrize('variant', VARIANTS)
def test_inference_is_one_graph(variant):
    model = build(variant).eval()
    x = images(model)
    with torch.no_grad():
        wanted = tensors(model(x))
        got = tensors(compiled(fuse(model))(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('variant', ['global', 'light'])
@pytest.mark.parametrize('name', products.LIBRARIES)
def test_either_library_is_one_graph(name, variant, training, choice):
    choice(name)
    model = build(variant).float().train(training)
    x = images(model).float()
    if not training:
        fuse(model)
    with torch.set_grad_enabled(training):
        wanted = tensors(model(x))
        got = tensors(compiled(model)(x))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_graphs_of_inference_have_one_operator_for_an_mlp():
    seen = []

    def backend(graph, _):
        seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph

    model = build('global').eval()
    model.compile(backend=backend)
    with torch.no_grad():
        model(images(model))
    assert seen.count('mmuniformer.add_mlp') == sum(model.arch.depths)


@pytest.mark.parametrize('variant', VARIANTS)
def test_fused_models_can_be_exported(variant):
    model = fuse(build(variant).eval())
    x = images(model)
    with torch.no_grad():
        program = torch.export.export(model, (x,))
        wanted, got = tensors(model(x)), tensors(program.module()(x))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize('variant', VARIANTS)
def test_training_is_one_graph(variant):
    model = compiled(build(variant, drop_path_rate=0.2).train())
    for out in tensors(model(images(model))):
        assert out.requires_grad
    assert graphs() == 1


# Windows add graphs: with and without padding.
@pytest.mark.parametrize('variant, most', [('global', 4), ('hybrid', 5)])
def test_sizes_of_detection_share_few_graphs(variant, most):
    model = compiled(build(variant).eval())
    sizes = (64, 96), (96, 128), (128, 96), (96, 160), (128, 192), (160, 96)
    with torch.no_grad():
        for size in sizes:
            model(torch.zeros(1, 3, *size, dtype=torch.float64))
    assert graphs() <= most
