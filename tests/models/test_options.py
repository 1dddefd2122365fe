"""Options of the backbones: outputs, freezing, layer depths, errors."""

import warnings
from math import nan
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from mmuniformer.models import UniFormer, UniFormerLight
from mmuniformer.registry import MODELS

from .tiny import (
    CONV,
    LIGHT,
    SIZE,
    VARIANTS,
    build,
    gradients,
    images,
    tensors,
)

ALL = pytest.mark.parametrize('variant', VARIANTS)
BOTH = pytest.mark.parametrize('variant', ['global', 'light', 'light_video'])
DENSE = pytest.mark.parametrize('variant', ['dense', 'light_dense'])


@pytest.mark.parametrize('name', ['UniFormer', 'UniFormerLight'])
def test_scoped_name_builds(name):
    cfg = dict(type=f'mmuniformer.{name}', arch=LIGHT)
    assert type(MODELS.build(cfg)).__name__ == name


@BOTH
@pytest.mark.parametrize('index', [3, np.int64(3)])
def test_an_int_gives_the_map_of_video_and_a_tuple_of_an_image(variant, index):
    one = build(variant, out_indices=index)
    x = images(one)
    several = build(variant, out_indices=(1, 3))(x)
    assert isinstance(several, tuple)
    got = one(x)
    if one.ndim == 2:
        assert isinstance(got, tuple)
        (got,) = got
    torch.testing.assert_close(got, several[1])


@BOTH
def test_negative_index_counts_from_the_end(variant):
    model = build(variant, out_indices=-1)
    x = images(model)
    torch.testing.assert_close(model(x), build(variant)(x))


@DENSE
def test_other_outputs_do_not_change_a_map(variant):
    x = images(build(variant))
    alone = build(variant, out_indices=(2,)).eval()(x)
    together = build(variant).eval()(x)
    torch.testing.assert_close(alone[0], together[2])


@DENSE
def test_dense_maps_are_normalised(variant):
    model = build(variant)
    for i in range(4):
        norm = getattr(model, f'norm{i + 1}')
        torch.nn.init.ones_(norm.weight)
        torch.nn.init.zeros_(norm.bias)
    for out in model(images(model)):
        means = out.mean(1)
        torch.testing.assert_close(means, torch.zeros_like(means))


@BOTH
@pytest.mark.parametrize('dense', [True, False])
def test_only_norms_in_use_are_built(variant, dense):
    model = build(variant, dense=dense, out_indices=(1, 2))
    norms = {n for n, _ in model.named_children() if n.startswith('norm')}
    assert norms == ({'norm2', 'norm3'} if dense else set())


def test_class_token_goes_with_the_last_map():
    model = build('light_cls', out_indices=(2, 3))
    stage_3, (stage_4, cls_token) = model(images(model))
    assert stage_3.shape == (2, 24, 4, 4)
    assert stage_4.shape == (2, 32, 2, 2)
    assert cls_token.shape == (2, 32)


def test_class_token_comes_as_a_pair_for_one_index():
    model = build('light_cls')
    x = images(model)
    ((stage_4, cls_token),) = model(x)
    assert cls_token.shape == (2, 32)
    torch.testing.assert_close(stage_4, build('light')(x)[0])


@pytest.mark.parametrize(
    ('arch', 'sizes'),
    [
        (SIZE, [(18, 25), (9, 12), (4, 6), (2, 3)]),
        (CONV, [(19, 26), (10, 13), (5, 7), (3, 4)]),
        (LIGHT, [(19, 26), (9, 13), (4, 6), (2, 3)]),
    ],
)
@pytest.mark.parametrize('ndim', [2, 3])
def test_odd_input_sizes(arch, sizes, ndim):
    cls = UniFormerLight if arch is LIGHT else UniFormer
    model = cls(arch, ndim=ndim, dense=True, out_indices=range(4))
    time = {2: (), 3: (5,)}[ndim]
    outputs = model(torch.randn(1, 3, *time, 75, 101))
    frames = {2: (), 3: (3,)}[ndim]
    assert [tuple(out.shape[2:]) for out in outputs] == [
        frames + size for size in sizes
    ]


@BOTH
def test_other_numbers_of_channels(variant):
    model = build(variant, in_channels=1)
    for out in tensors(model(images(model)[:, :1])):
        assert out.isfinite().all()


def parts(model, names):
    """Parameters by whether the name starts with one of ``names``."""
    return {
        name: name.split('.')[0] in names
        for name, _ in model.named_parameters()
    }


def frozen_names(stages):
    names = {'patch_embed1'} if stages >= 0 else set()
    for i in range(1, stages + 1):
        names |= {f'patch_embed{i}', f'blocks{i}', f'norm{i}'}
    if stages >= 3:
        names.add('cls_token')
    if stages == 4:
        names |= {'norm', 'cls_upsample', 'norm_cls'}
    return names


FROZEN = pytest.mark.parametrize('stages', range(-1, 5))
KINDS = pytest.mark.parametrize(
    'variant', ['global', 'dense', 'light_cls', 'light_dense']
)


@KINDS
@FROZEN
def test_frozen_parameters_need_no_gradient_and_the_others_do(variant, stages):
    model = build(variant, frozen_stages=stages)
    frozen = parts(model, frozen_names(stages))
    got = {name: not p.requires_grad for name, p in model.named_parameters()}
    assert got == frozen


@KINDS
@FROZEN
def test_frozen_stages_stay_in_eval_mode(variant, stages):
    model = build(variant, frozen_stages=stages).train()
    names = frozen_names(stages)
    for name, child in model.named_children():
        assert all(m.training != (name in names) for m in child.modules())


@KINDS
@pytest.mark.parametrize('stages', [0, 1, 2, 3])
def test_what_is_not_frozen_gets_gradients(variant, stages):
    model = build(variant, frozen_stages=stages, with_cp=True)
    _, found = gradients(model, images(model))
    frozen = parts(model, frozen_names(stages))
    assert {name: found[name] is None for name in frozen} == frozen


def test_frozen_statistics_do_not_move():
    model = build('light', frozen_stages=2)
    before = {k: v.clone() for k, v in model.named_buffers()}
    model(images(model))
    moved = {k for k, v in model.named_buffers() if not v.equal(before[k])}
    assert {name.split('.')[0] for name in moved} == {'norm'}


@BOTH
def test_norm_eval_holds_batch_norm_and_nothing_else(variant):
    model = build(variant, norm_eval=True).train()
    for module in model.modules():
        if not list(module.children()):
            assert module.training != isinstance(module, _BatchNorm)


@ALL
@pytest.mark.parametrize('mode', [True, False])
def test_train_returns_the_model(variant, mode):
    model = build(variant, frozen_stages=1, norm_eval=True)
    assert model.train(mode) is model


def order(name):
    """Where a parameter comes in the course of the computation."""
    top, *rest = name.split('.')
    if top in ('cls_token', 'cls_upsample'):
        return (3 if top == 'cls_token' else 4), 0
    if not top[-1].isdigit():
        return 5, 0
    block = {'patch_embed': 0, 'blocks': 0, 'norm': 99}[top[:-1]]
    return int(top[-1]), block + int(rest[0]) if top[0] == 'b' else block


@ALL
@pytest.mark.parametrize('prefix', ['', 'backbone.'])
def test_layer_depths_grow_with_the_computation(variant, prefix):
    model = build(variant)
    names = sorted((n for n, _ in model.named_parameters()), key=order)
    found = [model.get_layer_depth(prefix + n, prefix) for n in names]
    depths = [depth for depth, _ in found]
    assert {count for _, count in found} == {sum(model.arch.depths) + 2}
    first_blocks = [
        depth for n, depth in zip(names, depths) if order(n)[1] < 9
    ]
    assert first_blocks == sorted(first_blocks)


@ALL
def test_layer_depths_cover_the_range(variant):
    model = build(variant)
    depths = {model.get_layer_depth(n)[0] for n, _ in model.named_parameters()}
    count = sum(model.arch.depths) + 2
    last = {count - 1} if hasattr(model, 'norm') or model.dense else set()
    assert depths == set(range(count - 1)) | last


@pytest.mark.parametrize(
    ('name', 'like'),
    [
        ('patch_embed2.proj.weight', 'blocks2.0.attn.weight'),
        ('patch_embed4.proj.weight', 'blocks4.0.attn.qkv.weight'),
        ('cls_token', 'blocks3.0.attn.qkv.weight'),
        ('cls_upsample.weight', 'blocks4.0.attn.qkv.weight'),
        ('norm_cls.weight', 'norm.weight'),
        ('head.fc.weight', 'norm.weight'),
    ],
)
def test_parts_that_share_a_layer_depth(name, like):
    model = build('light_cls')
    assert model.get_layer_depth(name) == model.get_layer_depth(like)


def pretrained(**options):
    """Arguments with a file to load."""
    source = dict(type='Pretrained', checkpoint='x.pth')
    return dict(init_cfg=source | options)


ARCH = dict(SIZE)
ERRORS = [
    (UniFormer, dict(arch='xxs'), "arch='xxs'"),
    (UniFormerLight, dict(arch='s'), "arch='s'"),
    (UniFormer, dict(arch=None), 'arch=None'),
    (UniFormer, dict(arch=dict(depth=(1, 1, 1, 1))), 'depth'),
    (UniFormer, dict(arch=ARCH | dict(depths=(1, 2))), r'depths=\(1, 2\)'),
    (UniFormer, dict(arch=ARCH | dict(depths=(0, 1, 1, 1))), 'depths='),
    (UniFormer, dict(arch=ARCH | dict(stems=('x',) * 4)), 'stems='),
    (UniFormer, dict(head_dim=48), 'head_dim=48'),
    (UniFormer, dict(head_dim=0), 'head_dim=0'),
    (UniFormer, dict(ndim=1), 'ndim=1'),
    (UniFormer, dict(attention='local'), "attention='local'"),
    (UniFormer, dict(attention='window', ndim=3), "attention='window'"),
    (UniFormer, dict(attention='window', window_size=0), 'window_size=0'),
    (UniFormer, dict(drop_path_rate=1.0), 'drop_path_rate=1.0'),
    (UniFormer, dict(out_indices=4), 'out_indices=4'),
    (UniFormer, dict(out_indices=()), r'out_indices=\(\)'),
    (UniFormer, dict(out_indices=(3, 1)), r'out_indices=\(3, 1\)'),
    (UniFormer, dict(frozen_stages=5), 'frozen_stages=5'),
    (UniFormer, dict(with_cp=(9, 0, 0, 0)), 'with_cp='),
    (UniFormer, dict(with_cp=(1, 1)), 'with_cp='),
    (UniFormer, dict(arch=ARCH | dict(depths=(True,) * 4)), 'depths='),
    (UniFormer, dict(arch=ARCH | dict(depths='1111')), "depths='1111'"),
    (UniFormer, dict(arch=ARCH | dict(mlp_ratio='4')), "mlp_ratio='4'"),
    (UniFormer, dict(arch=ARCH | dict(mlp_ratio=0)), 'mlp_ratio=0'),
    (UniFormer, dict(arch=ARCH | dict(mlp_ratio=nan)), 'mlp_ratio=nan'),
    (UniFormer, dict(arch=ARCH | dict(mlp_ratio=0.1)), 'mlp_ratio=0.1'),
    (UniFormer, dict(arch=ARCH | dict(embed_dims=(8, 16, 24, 0))), '24, 0'),
    (UniFormer, dict(arch=ARCH | dict(layer_scale=(2,) * 4)), 'layer_scale='),
    (UniFormer, dict(arch=ARCH | {5: 1}), 'unknown'),
    (UniFormer, dict(head_dim='8'), "head_dim='8'"),
    (UniFormer, dict(head_dim=True), 'head_dim=True'),
    (UniFormer, dict(head_dim=8.0), 'head_dim=8.0'),
    (UniFormer, dict(ndim=True), 'ndim=True'),
    (UniFormer, dict(ndim='2'), "ndim='2'"),
    (UniFormer, dict(in_channels=0), 'in_channels=0'),
    (UniFormer, dict(in_channels='3'), "in_channels='3'"),
    (UniFormer, dict(in_channels=True), 'in_channels=True'),
    (UniFormer, dict(attention=None), 'attention=None'),
    (UniFormer, dict(attention=['global']), 'attention='),
    (UniFormer, dict(window_size=True), 'window_size=True'),
    (UniFormer, dict(window_size='7'), "window_size='7'"),
    (UniFormer, dict(dense='no'), "dense='no'"),
    (UniFormer, dict(dense=1), 'dense=1'),
    (UniFormer, dict(norm_eval='yes'), "norm_eval='yes'"),
    (UniFormer, dict(drop_path_rate='0.1'), "drop_path_rate='0.1'"),
    (UniFormer, dict(drop_path_rate=True), 'drop_path_rate=True'),
    (UniFormer, dict(drop_path_rate=nan), 'drop_path_rate=nan'),
    (UniFormer, dict(drop_path_rate=-0.1), 'drop_path_rate=-0.1'),
    (UniFormer, dict(drop_path_rate=None), 'drop_path_rate=None'),
    (UniFormer, dict(out_indices='3'), "out_indices='3'"),
    (UniFormer, dict(out_indices=True), 'out_indices=True'),
    (UniFormer, dict(out_indices=(0, True)), 'out_indices='),
    (UniFormer, dict(out_indices=(1, 1)), 'out_indices='),
    (UniFormer, dict(out_indices=None), 'out_indices=None'),
    (UniFormer, dict(out_indices=3.0), 'out_indices=3.0'),
    (UniFormer, dict(frozen_stages=True), 'frozen_stages=True'),
    (UniFormer, dict(frozen_stages='1'), "frozen_stages='1'"),
    (UniFormer, dict(frozen_stages=1.0), 'frozen_stages=1.0'),
    (UniFormer, dict(with_cp=3), 'with_cp=3'),
    (UniFormer, dict(with_cp='yes'), "with_cp='yes'"),
    (UniFormer, dict(with_cp=(True,) * 4), 'with_cp='),
    (UniFormer, dict(with_cp=(-1, 0, 0, 0)), 'with_cp='),
    (UniFormer, dict(layer_scale_init_value=-1), 'layer_scale_init_value=-1'),
    (UniFormer, dict(layer_scale_init_value='1'), "init_value='1'"),
    (UniFormer, dict(layer_scale_init_value=True), 'init_value=True'),
    (UniFormer, dict(init_cfg='file.pth'), "init_cfg='file.pth'"),
    (UniFormer, dict(init_cfg=dict(checkpoint='x')), 'init_cfg='),
    (UniFormer, dict(init_cfg=dict(type='Pretrained')), 'checkpoint=None'),
    (UniFormer, pretrained(checkpoint=3), 'checkpoint=3'),
    (UniFormer, pretrained(prefx='a'), "prefx='a'"),
    (UniFormer, pretrained(prefix=3), 'prefix=3'),
    (UniFormer, pretrained(inflate='avg'), "inflate='avg'"),
    (UniFormer, pretrained(class_order='abc'), "class_order='abc'"),
    (UniFormer, pretrained(allow_partial='('), r"allow_partial='\('"),
    (UniFormer, pretrained(allow_partial=3), 'allow_partial=3'),
    (UniFormer, pretrained(ema='yes'), "ema='yes'"),
    (UniFormerLight, dict(keep_ratio='0.5'), "keep_ratio='0.5'"),
    (UniFormerLight, dict(keep_ratio=True), 'keep_ratio=True'),
    (UniFormerLight, dict(with_cls_token=1), 'with_cls_token=1'),
    (UniFormerLight, dict(keep_ratio=0), 'keep_ratio=0'),
    (UniFormerLight, dict(keep_ratio=1.5), 'keep_ratio=1.5'),
    (UniFormerLight, dict(attention='hybrid'), "attention='hybrid'"),
    (
        UniFormerLight,
        dict(with_cls_token=True, dense=True),
        'with_cls_token=True.*dense=True',
    ),
    (
        UniFormerLight,
        dict(with_cls_token=True, out_indices=(0, 1)),
        r'with_cls_token=True.*out_indices=\(0, 1\)',
    ),
]


@pytest.mark.parametrize(
    ('cls', 'kwargs', 'got'),
    ERRORS,
    ids=[f'{i}-{e[2]}' for i, e in enumerate(ERRORS)],
)
def test_error_names_argument_value_and_what_is_wanted(cls, kwargs, got):
    with torch.device('meta'), pytest.raises(ValueError, match=got) as error:
        cls(**kwargs)
    assert 'wanted' in str(error.value)


def test_a_window_larger_than_the_map_speaks():
    model = UniFormer(SIZE, attention='window', window_size=14)
    with pytest.warns(UserWarning, match=r'window_size=14.*\(4, 6\)'):
        model(torch.randn(1, 3, 64, 96))


@pytest.mark.parametrize(
    'kwargs',
    [
        dict(out_indices=range(4), with_cp=[1, 0, 4, 1]),
        dict(out_indices=[np.int64(0), -1], frozen_stages=np.int64(1)),
        dict(drop_path_rate=0, layer_scale_init_value=1, head_dim=np.int32(8)),
        dict(drop_path_rate=np.float32(0.1), init_cfg=[], in_channels=1),
        pretrained(checkpoint=Path('x.pth'), map_location='cpu'),
        dict(arch=dict(depths=[1, 1, 4, 1], embed_dims=[8, 16, 24, 32],
                       head_dim=8, mlp_ratio=2.5)),
    ],
)  # fmt: skip
def test_values_of_other_types_that_mean_the_same_are_taken(kwargs):
    with torch.device('meta'):
        UniFormer(**{'arch': ARCH, **kwargs})


@BOTH
@pytest.mark.parametrize('shape', [(3, 64, 64), (64,), (1, 1, 3, 4, 64, 64)])
def test_an_input_of_another_rank_is_refused(variant, shape):
    with pytest.raises(ValueError, match=r'input of shape.*wanted \(B, C'):
        build(variant)(torch.zeros(shape))


@pytest.mark.parametrize('variant', ['hybrid', 'light_cls', 'video'])
@pytest.mark.parametrize('mode', ['train', 'eval', 'inference'])
def test_an_empty_batch_gives_empty_maps(variant, mode):
    model = build(variant, drop_path_rate=0.2).train(mode == 'train')
    x = images(model)
    with torch.set_grad_enabled(mode != 'inference'):
        got = [tuple(out.shape) for out in tensors(model(x[:0]))]
        wanted = [tuple(out[:0].shape) for out in tensors(model.eval()(x))]
    assert got == wanted
    assert all(v.isfinite().all() for v in model.state_dict().values())


@BOTH
def test_feature_info_tells_channels_and_strides(variant):
    model = build(variant, dense=True, out_indices=range(4))
    x = images(model)
    for info, out in zip(model.feature_info, model(x)):
        assert info['num_chs'] == out.shape[1]
        assert info['reduction'] == x.shape[-1] // out.shape[-1]
        assert info['module'] in dict(model.named_modules())


@BOTH
def test_recomputation_is_turned_on_and_off(variant):
    model = build(variant)
    model.set_grad_checkpointing()
    assert model.checkpointed == model.arch.depths
    model.set_grad_checkpointing(False)
    assert model.checkpointed == (0,) * 4


def test_the_class_token_has_no_weight_decay():
    assert build('light').no_weight_decay() == {'cls_token'}
    assert build('global').no_weight_decay() == set()


@pytest.mark.parametrize(
    'size, warned',
    [((64, 64), 0), ((64, 48), 1), ((48, 64), 1), ((80, 64), 0)],
)
def test_a_map_with_a_side_below_the_window_is_warned_of(size, warned):
    model = build('window', window_size=4).eval()  # a token has 16 pixels
    with torch.no_grad(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        model(torch.zeros(1, 3, *size, dtype=torch.float64))
    assert ['window_size=4' in str(w.message) for w in said] == [True] * warned
