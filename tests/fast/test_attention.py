"""Attention over few tokens in bfloat16."""

import pytest
import torch
import torch.nn.functional as F

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


@pytest.mark.parametrize('at_a_time', [200, 400, 1 << 20])
def test_two_products_are_that_attention(at_a_time, monkeypatch, fused):
    monkeypatch.setattr(attention, 'LOGITS_AT_A_TIME', at_a_time)
    parts = heads()
    with torch.no_grad():
        found = attention.attend(*parts)
    assert not fused
    wanted = F.scaled_dot_product_attention(*(p.double() for p in parts))
    torch.testing.assert_close(found.double(), wanted, rtol=0.02, atol=0.02)


def test_other_precisions_take_the_fused_kernel(fused):
    with torch.no_grad():
        attention.attend(*heads(dtype=torch.float32))
    assert fused


def test_training_takes_the_fused_kernel(fused):
    attention.attend(*heads())
    assert fused


def test_many_tokens_take_the_fused_kernel(fused, monkeypatch):
    monkeypatch.setattr(attention, 'LOGITS_OF_A_SAMPLE', 199)
    with torch.no_grad():
        attention.attend(*heads())
    assert fused


def test_an_empty_batch_stays_empty():
    with torch.no_grad():
        assert attention.attend(*heads(batch=0)).shape == (0, 2, 10, 8)
