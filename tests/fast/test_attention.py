"""Attention by two products: bfloat16, and long sequences of float32."""

import pytest
import torch
import torch.nn.functional as F

from mmuniformer.compat.old_torch import HAS_CUSTOM_OPS
from mmuniformer.fast import attention, products

needs_onednn = pytest.mark.skipif(
    not products.has_onednn(), reason='this PyTorch has no oneDNN'
)


def heads(batch=3, tokens=10, dtype=torch.bfloat16):
    torch.manual_seed(0)
    x = torch.randn(batch, tokens, 3 * 2 * 8, dtype=dtype)
    return x.unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4).unbind()


@pytest.fixture
def fused(monkeypatch):
    """Calls of the fused kernel."""
    calls, kernel = [], F.scaled_dot_product_attention

    def call(*args):
        calls.append(args)
        return kernel(*args)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', call)
    return calls


def needs_operators(value):
    return pytest.param(
        value,
        marks=pytest.mark.skipif(
            not HAS_CUSTOM_OPS, reason='before PyTorch 2.4'
        ),
    )


@pytest.mark.parametrize('queries', [4, 512])
@pytest.mark.parametrize('logits', [1, 100, 200, 1 << 20])
def test_two_products_are_that_attention(queries, logits, monkeypatch, fused):
    monkeypatch.setattr(attention, 'QUERIES', queries)
    monkeypatch.setattr(attention, 'LOGITS', logits)
    parts = heads()
    with torch.no_grad():
        found = attention.attend(*parts)
    assert not fused
    wanted = F.scaled_dot_product_attention(*(p.double() for p in parts))
    torch.testing.assert_close(found.double(), wanted, rtol=0.02, atol=0.02)


def test_heads_are_joined_without_a_copy():
    with torch.no_grad():
        found = attention.attend(*heads())
    assert found.transpose(1, 2).flatten(2).data_ptr() == found.data_ptr()


@pytest.mark.skipif(not HAS_CUSTOM_OPS, reason='before PyTorch 2.4')
def test_compiled_graphs_do_the_same(fused):
    compiled = torch.compile(attention.attend, backend='aot_eager')
    parts = heads()
    with torch.no_grad():
        found = compiled(*parts)
        assert torch.equal(found, attention.attend(*parts))
    assert not fused


@pytest.mark.parametrize(
    'library, tokens, dtype',
    [
        ('blas', 10, torch.float32),
        ('onednn', 9, torch.float32),
        ('onednn', 10, torch.float64),
    ],
)
def test_what_takes_the_fused_kernel(
    library, tokens, dtype, choice, monkeypatch, fused
):
    choice(library)
    monkeypatch.setattr(attention, 'LONG', 10)
    with torch.no_grad():
        attention.attend(*heads(tokens=tokens, dtype=dtype))
    assert fused


@needs_onednn
@pytest.mark.parametrize('compiled', [False, needs_operators(True)])
@pytest.mark.parametrize('queries', [4, 512])
def test_long_sequences_of_float32_by_onednn(
    queries, compiled, choice, monkeypatch, fused
):
    choice('onednn')
    monkeypatch.setattr(attention, 'QUERIES', queries)
    monkeypatch.setattr(attention, 'LONG', 10)
    attend = attention.attend
    if compiled:
        attend = torch.compile(attend, backend='aot_eager')
    parts = heads(dtype=torch.float32)
    with torch.no_grad():
        found = attend(*parts)
    assert not fused
    assert found.transpose(1, 2).flatten(2).data_ptr() == found.data_ptr()
    wanted = F.scaled_dot_product_attention(*(p.double() for p in parts))
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)


@needs_onednn
@pytest.mark.parametrize('queries', [4, 512])
def test_gradients_of_long_sequences_of_float32_by_onednn(
    queries, choice, monkeypatch, fused
):
    choice('onednn')
    monkeypatch.setattr(attention, 'QUERIES', queries)
    monkeypatch.setattr(attention, 'LONG', 10)
    parts = [p.clone().requires_grad_() for p in heads(dtype=torch.float32)]
    exact = [p.detach().double().requires_grad_() for p in parts]
    grad = torch.randn(3, 2, 10, 8)
    attention.attend(*parts).backward(grad)
    assert not fused
    F.scaled_dot_product_attention(*exact).backward(grad.double())
    for part, other in zip(parts, exact):
        torch.testing.assert_close(
            part.grad.double(), other.grad, rtol=1e-5, atol=1e-6
        )


@needs_onednn
@pytest.mark.parametrize('kind', ['attention', 'attention, training'])
@pytest.mark.parametrize('margin, wanted', [(0, 'onednn'), (1e9, 'blas')])
def test_it_is_measured_once(kind, margin, wanted, choice, monkeypatch):
    monkeypatch.setitem(products.MARGINS, kind, margin)
    choice('')
    assert products.library(torch.float32, kind) == wanted
    monkeypatch.setattr(products, 'measure', None)  # not called again
    assert products.library(torch.float32, kind) == wanted


@pytest.mark.parametrize('logits', [100, 1 << 20])
def test_gradients_are_those_of_that_attention(logits, monkeypatch, fused):
    monkeypatch.setattr(attention, 'QUERIES', 4)
    monkeypatch.setattr(attention, 'LOGITS', logits)
    parts = [p.clone().requires_grad_() for p in heads()]
    exact = [p.detach().double().requires_grad_() for p in parts]
    grad = torch.randn(3, 2, 10, 8)
    with torch.autocast('cpu', torch.bfloat16):
        attention.attend(*parts).backward(grad.bfloat16())
    assert not fused
    wanted = F.scaled_dot_product_attention(*exact)
    wanted.backward(grad.double())
    for part, other in zip(parts, exact):
        difference = (part.grad.double() - other.grad).norm()
        assert difference < 0.01 * other.grad.norm()


def test_compiled_training_takes_the_fused_kernel(fused):
    compiled = torch.compile(attention.attend, backend='eager')
    parts = [p.clone().requires_grad_() for p in heads()]
    compiled(*parts).sum().backward()
    assert all(p.grad is not None for p in parts) and fused


def test_an_empty_batch_stays_empty():
    with torch.no_grad():
        assert attention.attend(*heads(batch=0)).shape == (0, 2, 10, 8)
