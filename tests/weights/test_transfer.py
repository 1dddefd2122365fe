"""Names, inflation and class lists of weights."""

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer, UniFormerLight
from mmuniformer.models.arch import ARCHS, LIGHT_ARCHS
from mmuniformer.weights import files, transfer

from .. import TINY
from ..published_files import (
    cascade,
    classifier,
    mask_rcnn,
    pose,
    semantic_fpn,
    upernet,
    zeros,
)

ROUND_TRIPS = [
    ('mmpretrain', classifier('s')),
    ('mmpretrain', classifier('l', aux=True)),
    ('mmpretrain', classifier('xxs')),
    ('mmaction2', classifier('s', 400, ndim=3)),
    ('mmaction2', classifier('xxs', 400, ndim=3, scaled='1234')),
    ('mmdet', mask_rcnn()),
    ('mmdet', cascade()),
    ('mmseg', semantic_fpn()),
    ('mmseg', upernet()),
    ('mmpose', pose()),
]


@pytest.mark.parametrize('host, keys', ROUND_TRIPS)
def test_to_a_host_and_back_is_the_identity(host, keys):
    state = zeros(keys)
    there = transfer.to_host(state, host)
    back = transfer.to_host(there, 'official')
    assert list(back) == list(state)
    assert all(back[name] is state[name] for name in state)


@pytest.mark.parametrize(
    'host, name, wanted',
    [
        ('mmpretrain', 'head.weight', 'head.fc.weight'),
        ('mmpretrain', 'head_cls.bias', 'head.fc_cls.bias'),
        ('mmpretrain', 'aux_head.bias', 'head.aux_fc.bias'),
        ('mmpretrain', 'norm_cls.bias', 'backbone.norm_cls.bias'),
        ('mmaction2', 'head.weight', 'cls_head.fc_cls.weight'),
        ('mmaction2', 'head_cls.bias', 'cls_head.fc_token.bias'),
        ('mmaction2', 'cls_token', 'backbone.cls_token'),
        (
            'mmpose',
            'keypoint_head.final_layer.bias',
            'head.final_layer.bias',
        ),
        ('mmdet', 'neck.fpn_convs.0.conv.bias', 'neck.fpn_convs.0.conv.bias'),
    ],
)
def test_names_in_the_hosts(host, name, wanted):
    assert list(transfer.to_host({name: torch.ones(1)}, host)) == [wanted]


def test_from_one_host_to_another():
    state = transfer.to_host(zeros(classifier('s')), 'mmpretrain')
    assert 'cls_head.fc_cls.weight' in transfer.to_host(state, 'mmaction2')


def test_a_model_gets_the_names_that_fit_it():
    state = {'patch_embed1.norm.bias': 1, 'head.weight': 2, 'norm.bias': 3}
    own = ['backbone.patch_embed1.norm.bias', 'cls_head.fc_cls.weight']
    assert transfer.to_model(state, own) == {
        'backbone.patch_embed1.norm.bias': 1,
        'cls_head.fc_cls.weight': 2,
        'norm.bias': 3,
    }


def test_names_that_fit_are_left_alone():
    own = ['head.fc.weight', 'cls_head.fc_cls.weight', 'head.weight']
    assert list(transfer.to_model(dict.fromkeys(own), own)) == own


KERNEL = torch.arange(18.0).reshape(2, 1, 3, 3)
VIDEO = {'blocks1.0.pos_embed.weight': torch.Size((2, 1, 3, 3, 3))}


@pytest.mark.parametrize(
    'mode, frames', [('average', (1 / 3,) * 3), ('centre', (0, 1, 0))]
)
def test_inflation(mode, frames):
    (done,) = transfer.inflate(
        dict.fromkeys(VIDEO, KERNEL), VIDEO, mode
    ).values()
    for i, frame in enumerate(frames):
        torch.testing.assert_close(done[:, :, i], KERNEL * frame)


def test_averages_are_those_of_the_authors_to_the_last_bit():
    value = torch.rand(4, 1, 3, 3)
    own = {'w': torch.Size((4, 1, 3, 3, 3))}
    wanted = value.unsqueeze(2).repeat(1, 1, 3, 1, 1) / 3
    assert torch.equal(transfer.inflate({'w': value}, own)['w'], wanted)


def test_unknown_inflation():
    with pytest.raises(UserError, match="inflate='mean'"):
        transfer.inflate({}, {}, 'mean')


def test_layer_scales_get_the_time_axis():
    own = {'gamma_1': torch.Size((1, 8, 1, 1, 1))}
    state = {'gamma_1': torch.rand(1, 8, 1, 1)}
    done = transfer.inflate(state, own)
    assert torch.equal(done['gamma_1'][:, :, 0], state['gamma_1'])


@pytest.mark.parametrize('mode', transfer.INFLATE)
def test_a_still_clip_gives_what_the_image_gives(mode):
    """The rows of a kernel add up to the image's, whatever the mode."""
    flat, deep = UniFormer(TINY), UniFormer(TINY, ndim=3)
    own = files.shapes(deep)
    state = transfer.inflate(flat.state_dict(), own, mode)
    assert files.compare(own, state).mismatched == []
    name = 'patch_embed1.proj.weight'
    torch.testing.assert_close(state[name].sum(2), flat.state_dict()[name])


@pytest.mark.parametrize('arch', [*ARCHS, *LIGHT_ARCHS])
def test_shapes_in_a_video_model_without_the_model(arch):
    kind = UniFormer if arch in ARCHS else UniFormerLight
    with torch.device('meta'):
        flat, deep = kind(arch), kind(arch, ndim=3)
    assert transfer.video_shapes(flat.state_dict()) == files.shapes(deep)


def test_heads_for_other_classes_are_named_with_both_numbers():
    state = zeros(mask_rcnn())
    own = {k: torch.Size(s) for k, s in mask_rcnn(classes=5)}
    kept, dropped = transfer.drop_other_classes(state, own)
    assert dropped[0] == (
        'roi_head.bbox_head.fc_cls (81 outputs in the file, 6 in the model)'
    )
    assert set(state) - set(kept) == {
        f'roi_head.{layer}.{leaf}'
        for layer in (
            'bbox_head.fc_cls',
            'bbox_head.fc_reg',
            'mask_head.conv_logits',
        )
        for leaf in ('weight', 'bias')
    }


def test_a_layer_of_another_width_is_not_dropped():
    own = {'neck.convs.0.weight': torch.Size((256, 64))}
    state = {'neck.convs.0.weight': torch.ones(128, 32)}
    assert transfer.drop_other_classes(state, own) == (state, [])


def test_a_backbone_is_never_dropped():
    own = {'backbone.patch_embed1.norm.weight': torch.Size((8,))}
    state = {'backbone.patch_embed1.norm.weight': torch.ones(9)}
    assert transfer.drop_other_classes(state, own) == (state, [])


def test_classes_are_permuted_in_heads_alone():
    state = {
        'head.weight': torch.tensor([[0.0], [1.0], [2.0]]),
        'cls_head.fc_token.bias': torch.tensor([0.0, 1.0, 2.0]),
        'backbone.norm.bias': torch.tensor([0.0, 1.0, 2.0]),
    }
    done = transfer.reorder_classes(state, [2, 0, 1])
    assert done['head.weight'].flatten().tolist() == [2, 0, 1]
    assert done['cls_head.fc_token.bias'].tolist() == [2, 0, 1]
    assert done['backbone.norm.bias'].tolist() == [0, 1, 2]


def test_backbone_only():
    state = transfer.backbone_only(zeros(mask_rcnn()))
    assert {name.split('.')[0] for name in state} == {'backbone'}


@pytest.mark.parametrize('name', ['patch_embed1.proj', 'patch_embed1.proj.0'])
@pytest.mark.parametrize('channels', [1, 2, 4, 7])
def test_other_channels_by_the_rule_of_timm(name, channels):
    adapt = pytest.importorskip('timm.models').adapt_input_conv
    value = torch.randn(5, 3, 4, 4)
    own = {f'backbone.{name}.weight': torch.Size((5, channels, 4, 4))}
    state = {f'backbone.{name}.weight': value}
    (done,) = transfer.fit_channels(state, own).values()
    torch.testing.assert_close(done, adapt(channels, value))


def test_the_same_channels_and_other_layers_stay():
    state = {
        'patch_embed1.proj.weight': torch.ones(2, 3, 4, 4),
        'patch_embed2.proj.weight': torch.ones(2, 3, 4, 4),
        'patch_embed1.proj.1.weight': torch.ones(2),
    }
    own = {
        'patch_embed1.proj.weight': torch.Size((2, 3, 3, 4, 4)),
        'patch_embed2.proj.weight': torch.Size((2, 4, 4, 4)),
        'patch_embed1.proj.1.weight': torch.Size((2,)),
    }
    done = transfer.fit_channels(state, own)
    assert all(done[name] is state[name] for name in state)
    assert not transfer.fitted_channels(state, done)
