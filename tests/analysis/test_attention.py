"""Attention of points and class tokens, and the tokens that are kept."""

import numpy as np
import pytest
import torch

from mmuniformer.analysis import tokens, views
from mmuniformer.analysis.attention import Attentions, overlays, place_of
from mmuniformer.errors import UserError
from mmuniformer.models.uniformer_light import LightBlock

from ..models import tiny

VARIANTS = ('global', 'hybrid', 'video', 'light', 'light_video')


def seen(variant, size=96, **kwargs):
    backbone = tiny.build(variant).eval()
    x = tiny.images(backbone, batch=1, size=size, **kwargs)
    return Attentions(backbone, x), backbone


@pytest.mark.parametrize('variant', VARIANTS)
def test_attention_is_what_the_block_computes(variant):
    """Values times the weights of all heads give what the layer gives."""
    looks = seen(variant)[0].looks
    assert [look.name[:7] for look in looks][-1] == 'blocks4'
    for look in looks:
        _, _, value = look.attn.heads(look.x)
        heads = [look.weights(k) for k in range(look.attn.num_heads)]
        mixed = torch.stack(heads, 1) @ value
        out = look.attn.proj(mixed.transpose(1, 2).flatten(2))
        wanted = look.attn(look.x)
        wanted = wanted[0] if isinstance(wanted, tuple) else wanted
        torch.testing.assert_close(out, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize('variant', VARIANTS)
def test_a_point_looks_at_the_whole_map_once(variant):
    looked, _ = seen(variant)
    for look in looked.looks:
        row = looked.start(look, (0.3, 0.6))
        found = look.pushed(row)
        assert found.shape == (look.attn.num_heads, len(row))
        total = found.sum(1)
        if not look.window:  # a share goes to the padding
            torch.testing.assert_close(total, torch.ones_like(total))
        assert looked.heads(look, (0.3, 0.6)).shape[1:] == look.shape


def test_windows_hold_what_a_point_sees():
    """A map of 6 x 6 in windows of 3: nothing outside the own one."""
    looked, _ = seen('hybrid')
    window, whole = looked.block('blocks3.0'), looked.block('blocks3.3')
    assert (window.window, whole.window) == (3, 0)
    heat = looked.heads(window, (0.9, 0.1))  # right, top
    assert (heat[:, :3, 3:] > 0).all()
    assert torch.count_nonzero(heat) == heat[:, :3, 3:].numel()
    torch.testing.assert_close(
        heat.sum((1, 2)), torch.ones(3, dtype=heat.dtype)
    )
    assert (looked.heads(whole, (0.9, 0.1)) > 0).all()


def test_a_dropped_token_looks_as_its_representative():
    looked, _ = seen('light')
    look = looked.block('blocks3.1')
    count = look.shape.numel()
    kept = set(look.places.tolist())
    one, other = [n for n in range(count) if n not in kept][:2]
    rows = torch.eye(count + 1, dtype=torch.float64)
    torch.testing.assert_close(
        look.pushed(rows[1 + one]), look.pushed(rows[1 + other])
    )
    weights = look.weights(0)[0]
    found = look.pushed(rows[1 + one])[0]
    dropped = [1 + n for n in range(count) if n not in kept]
    torch.testing.assert_close(found[dropped].sum(), weights[-1, -1])
    torch.testing.assert_close(found[1 + look.places], weights[-1, 1:-1])


@pytest.mark.parametrize('variant', VARIANTS)
def test_rollout_loses_nothing(variant):
    looked, _ = seen(variant)
    for query in (None, (0.1, 0.9)):
        heat = looked.rollout(query)
        assert heat.shape == looked.looks[0].shape
        assert 0 < heat.sum() <= 1 + 1e-9
    first = looked.looks[0].shape.numel()
    if variant in ('global', 'video'):
        assert heat.sum() == pytest.approx(1) and first == heat.numel()


def test_rollout_is_the_product_of_matrices():
    """Of a model with one map size, by hand."""
    looked, _ = seen('global')
    looks = looked.looks[:4]
    looked.looks = looks
    product = torch.eye(36, dtype=torch.float64)
    for look in looks:
        mean = sum(look.weights(k)[0] for k in range(look.attn.num_heads))
        step = (mean / look.attn.num_heads + torch.eye(36)) / 2
        product = step @ product
    wanted = product[place_of((0.5, 0.2), (6, 6))]
    found = looked.rollout((0.5, 0.2)).flatten()
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


def test_points():
    assert place_of((0, 0), (4, 6)) == 0
    assert place_of((1, 1), (4, 6)) == 23
    assert place_of((0.99, 0.0), (4, 6)) == 5
    assert place_of((0, 0), (4, 2, 2)) == 8  # in the middle of time
    assert place_of((0, 0, 0), (4, 2, 2)) == 0
    for query in ((0.5,), (0.5, 1.5), (0.5, 0.5, 0.5)):
        with pytest.raises(UserError, match='query='):
            place_of(query, (4, 6))


def test_blocks_that_have_no_attention_are_named():
    with pytest.raises(UserError, match=r"'blocks1.0': wanted one of blocks3"):
        seen('global')[0].block('blocks1.0')


@pytest.mark.parametrize('variant', ['light', 'light_video'])
def test_tokens_are_those_that_the_block_keeps(variant):
    """All others get the same added, which is how a block drops them."""
    backbone = tiny.build(variant).eval()
    x = tiny.images(backbone, batch=1, size=96)
    changes = []

    def after(block, args, out):
        before = args[0][0] + block.pos_embed(args[0][0])
        changes.append((out[0] - before)[0].flatten(1))

    for block in backbone.modules():
        if isinstance(block, LightBlock):
            block.register_forward_hook(after)
    found = tokens.kept_tokens(backbone, x)
    assert [one.name for one in found] == [
        'blocks3.0', 'blocks3.1', 'blocks4.0', 'blocks4.1',
    ]  # fmt: skip
    assert found[0].kept.all() and found[0].scores is None
    for one, change in list(zip(found, changes))[1:]:
        mask = one.kept.flatten()
        assert mask.sum() == len(mask) // 2
        others = change[:, ~mask]
        torch.testing.assert_close(others, others[:, :1].expand_as(others))
        assert ((change[:, mask] - others[:, :1]).abs().amax(0) > 1e-9).all()
        assert one.scores.flatten()[mask].min() >= (
            one.scores.flatten()[~mask].max()
        )


def test_bfloat16_keeps_nearly_the_same_tokens(monkeypatch):
    monkeypatch.setattr('mmuniformer.fast.half.has_bfloat16', lambda: True)
    backbone = tiny.build('light').float().eval()
    x = tiny.images(backbone, batch=1, size=192).float()
    found = tokens.kept_tokens(backbone, x)
    assert tokens.agreement(found, found) == [1, 1, 1]
    other = tokens.in_precision(backbone, 'half')
    shares = tokens.agreement(found, tokens.kept_tokens(other, x))
    assert len(shares) == 3 and 0.6 < min(shares)
    halves = [one.kept.clone() for one in found]
    halves[1][halves[1].nonzero()[0][0]] = False
    less = [tokens.Kept(o.name, k, None) for o, k in zip(found, halves)]
    assert tokens.agreement(found, less)[0] < 1


def test_models_that_keep_all_are_refused():
    backbone = tiny.build('global').eval()
    with pytest.raises(UserError, match='wanted a light one'):
        tokens.kept_tokens(backbone, tiny.images(backbone, batch=1))


@pytest.mark.parametrize('shape', [(32, 48), (8, 32, 48)])
def test_pictures(tmp_path, shape):
    picture = np.full((*shape, 3), 200, np.uint8)
    small = tuple(size // 8 for size in shape)
    drawn = overlays(
        {'a': np.ones(small), 'b': np.ones(small)}, picture, (0, 1)
    )
    views.write(tmp_path / 'attention', drawn)
    kept = torch.zeros(small, dtype=torch.bool)
    kept[..., 0, 0] = True
    shaded = tokens.shaded(kept, picture)
    assert shaded[..., 0, 0, :].min() == 200
    assert shaded[..., -1, -1, :].max() < 100
    views.write(tmp_path / 'tokens', {'blocks3.1': shaded})
    suffixes = {'.png'} | ({'.mp4'} if len(shape) == 3 else set())
    assert {p.name for p in tmp_path.iterdir()} == {
        f'{name}{s}' for name in ('attention', 'tokens') for s in suffixes
    }
