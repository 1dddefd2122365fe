"""Parameters and state-dict entries of all released models.

Recipes 1.1 (classifiers, heads included), 1.3 (dense) and 1.6 (video).
"""

import pytest
import torch

from mmuniformer.models import UniFormer, UniFormerLight

DENSE = dict(dense=True, out_indices=(0, 1, 2, 3))
TWO = dict(with_cls_token=True)
VIDEO = dict(ndim=3)
SCALED = dict(layer_scale_init_value=0.1)

# Size, arguments, classes of each linear head, parameters, entries.
RELEASED = {
    's': ('s', {}, [1000], 21_545_256, 331),
    's_plus': ('s_plus', {}, [1000], 24_032_552, 386),
    's_plus_64': ('s_plus', {'head_dim': 64}, [1000], 24_032_552, 386),
    'b': ('b', {}, [1000], 49_776_552, 687),
    'b_ls': ('b_ls', {}, [1000], 49_796_520, 741),
    'tl_s': ('s', {'head_dim': 32}, [1000] * 2, 22_058_256, 333),
    'tl_s_64': ('s', {}, [1000] * 2, 22_058_256, 333),
    'tl_s_plus': ('s_plus', {}, [1000] * 2, 24_545_552, 388),
    'tl_s_plus_64': ('s_plus', {'head_dim': 64}, [1000] * 2, 24_545_552, 388),
    'tl_b': ('b', {'head_dim': 32}, [1000] * 2, 50_289_552, 689),
    'tl_b_64': ('b', {}, [1000] * 2, 50_289_552, 689),
    'tl_l': ('l', {}, [1000] * 2, 100_103_888, 881),
    'xxs': ('xxs', TWO, [1000] * 2, 10_215_280, 334),
    'xs': ('xs', TWO, [1000] * 2, 16_509_264, 384),
    'dense_s': ('s', DENSE, [], 21_033_280, 332),
    'dense_b': ('b', DENSE, [], 49_264_576, None),
    'dense_xxs': ('xxs', DENSE, [], 9_317_168, 331),
    'dense_xs': ('xs', DENSE, [], 15_483_136, 381),
    'video_s': ('s', VIDEO, [400], 21_400_400, None),
    'video_b': ('b', VIDEO, [400], 49_813_200, None),
    'video_xxs': ('xxs', VIDEO | TWO, [400] * 2, 9_833_896, None),
    'video_xxs_ls': (
        'xxs',
        VIDEO | TWO | SCALED,
        [400] * 2,
        9_840_616,
        368,
    ),
    'video_xs': ('xs', VIDEO | TWO, [400] * 2, 16_099_552, None),
}


def on_meta(arch, **kwargs):
    """The model without memory for its tensors."""
    cls = UniFormerLight if arch in UniFormerLight.archs else UniFormer
    with torch.device('meta'):
        return cls(arch, **kwargs)


@pytest.mark.parametrize('name', RELEASED)
def test_parameters_and_entries_are_the_official_ones(name):
    arch, kwargs, heads, parameters, entries = RELEASED[name]
    model = on_meta(arch, **kwargs)
    width = model.arch.embed_dims[-1] + 1  # with the bias
    count = sum(p.numel() for p in model.parameters())
    assert count + sum(width * classes for classes in heads) == parameters
    assert entries in (None, len(model.state_dict()) + 2 * len(heads))


@pytest.mark.parametrize(
    ('arch', 'head_dim', 'heads'),
    [
        ('s', None, (5, 8)),
        ('s', 32, (10, 16)),
        ('s_plus', None, (10, 16)),
        ('s_plus', 64, (5, 8)),
        ('b', None, (5, 8)),
        ('b_ls', None, (5, 8)),
        ('l', None, (7, 10)),
        ('xxs', None, (8, 16)),
        ('xs', None, (8, 16)),
    ],
)
def test_attention_heads_which_no_shape_shows(arch, head_dim, heads):
    model = on_meta(arch, head_dim=head_dim)
    for stage, number in zip((model.blocks3, model.blocks4), heads):
        assert {block.attn.num_heads for block in stage} == {number}


@pytest.mark.parametrize(
    ('arch', 'stages'), [('s', ''), ('b_ls', '34'), ('l', '1234')]
)
def test_layer_scales_are_where_the_size_has_them(arch, stages):
    names = on_meta(arch).state_dict()
    scaled = {name[6] for name in names if 'gamma' in name}
    assert scaled == set(stages)


@pytest.mark.parametrize('arch', ['xxs', 'xs'])
@pytest.mark.parametrize('ndim', [2, 3])
def test_light_models_prune_from_the_second_block_of_stage_3(arch, ndim):
    model = on_meta(arch, ndim=ndim)
    ratios = [b.keep_ratio for b in [*model.blocks3, *model.blocks4]]
    assert ratios == [1] + [0.5] * (len(ratios) - 1)


def test_drop_path_grows_linearly_over_all_blocks():
    model = on_meta('s', drop_path_rate=0.34)
    rates = [
        block.drop_path.rate
        for i in range(1, 5)
        for block in getattr(model, f'blocks{i}')
    ]
    assert rates == pytest.approx([0.02 * i for i in range(18)])
