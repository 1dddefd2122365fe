"""Class lists of Kinetics and their order."""

from hashlib import md5

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.weights import labels, published


def test_classes_of_the_authors():
    assert labels.class_names(400)[:2] == ['riding a bike', 'marching']
    assert labels.class_names(600)[:2] == [
        'feeding fish',
        'poking bellybutton',
    ]


@pytest.mark.parametrize('classes', [400, 600])
def test_every_class_has_a_name_of_its_own(classes):
    assert len(set(labels.class_names(classes))) == classes


def test_kinetics_400_is_in_the_usual_order():
    """The list of torchvision is the one of mmaction2's label map."""
    models = pytest.importorskip('torchvision.models.video')
    weights = models.R3D_18_Weights.KINETICS400_V1
    names = labels.class_names(400)
    ordered = [names[i] for i in labels.alphabetical(400)]
    assert ordered == weights.meta['categories']


def test_kinetics_400_is_permuted_as_mmaction2_does():
    """Its map_k400.json of UniFormerV2, which starts from the same list."""
    order = ', '.join(map(str, labels.alphabetical(400)))
    assert order.startswith('341, 158, 189, 16, 398')
    assert (
        md5(order.encode()).hexdigest() == '5e377e959bc925eeb7fc7555bab9452c'
    )


@pytest.mark.parametrize(
    'first, second',
    [
        ('hugging (not baby)', 'hugging baby'),
        ('curling (sport)', 'curling hair'),
    ],
)
def test_brackets_come_before_letters_in_kinetics_600(first, second):
    names = labels.class_names(600)
    order = labels.alphabetical(600)
    assert order.index(names.index(second)) == 1 + order.index(
        names.index(first)
    )


def test_a_head_is_permuted():
    weight = torch.arange(400.0)[:, None]
    state = {'cls_head.fc_cls.weight': weight, 'head.weight': weight}
    done = labels.reorder({'head.weight': weight}, 'authors', 'alphabetical')
    names = labels.class_names(400)
    assert names[int(done['head.weight'][0])] == 'abseiling'
    assert state['head.weight'] is weight


def test_other_class_counts_have_no_order():
    with pytest.raises(UserError, match='174 classes'):
        labels.reorder(
            {'head.weight': torch.ones(174, 1)}, 'authors', 'alphabetical'
        )


@pytest.mark.parametrize(
    'name, classes, note, wanted',
    [
        ('head.weight', 400, {}, 'authors'),
        ('head.weight', 1000, {}, ''),
        ('cls_head.fc_cls.weight', 400, {}, ''),
        ('head.weight', 400, {'class_order': 'alphabetical'}, 'alphabetical'),
        ('cls_head.fc_cls.weight', 400, {'class_order': 'authors'}, 'authors'),
    ],
)
def test_whose_order_a_file_has(name, classes, note, wanted):
    state = {name: torch.ones(classes, 1)}
    assert labels.head_order(state, note)[0] == wanted


NAMES = {
    'authors': 'uniformer_small_k400_16x4',
    'alphabetical': 'uniformer-small_imagenet1k-pre_16x4x1_kinetics400-rgb',
}


@pytest.mark.parametrize('order', labels.ORDERS)
@pytest.mark.parametrize('wanted', labels.ORDERS)
def test_a_published_head_gets_the_order_of_the_labels(order, wanted):
    release = published.by_name(f'{NAMES[order]}_20221219-c630a037.pth')
    name = 'cls_head.fc_cls.weight'
    state = {name: torch.arange(400.0)[:, None]}
    if order == 'alphabetical':
        state[name] = state[name][labels.alphabetical(400)]
    done, (line,) = labels.arrange(
        state, {name: (400, 1)}, {}, release, wanted
    )
    numbers = torch.arange(400.0)
    if wanted == 'alphabetical':
        numbers = numbers[labels.alphabetical(400)]
    assert torch.equal(done[name][:, 0], numbers)
    said = f'in the head {order} (as the published {release.name})'
    assert f'{said}, in the labels {wanted}' in line
    assert line.endswith('head permuted') == (order != wanted)


def test_a_head_of_unknown_order_is_said_and_left():
    state = {'cls_head.fc_cls.weight': torch.rand(400, 1)}
    own = {'cls_head.fc_cls.weight': (400, 1)}
    done, (line,) = labels.arrange(state, own, {}, None, 'authors')
    assert torch.equal(*[x['cls_head.fc_cls.weight'] for x in (done, state)])
    assert 'of unknown order (neither name nor note' in line
