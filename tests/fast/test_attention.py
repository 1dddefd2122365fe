"""Attention in bfloat16 by two products."""

import pytest
import torch
import torch.nn.functional as F

from mmuniformer.compat.old_torch import HAS_CUSTOM_OPS
from mmuniformer.fast import attention


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


def test_other_precisions_take_the_fused_kernel(fused):
    with torch.no_grad():
        attention.attend(*heads(dtype=torch.float32))
    assert fused


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
