"""Class lists of Kinetics and their order."""

from hashlib import md5

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.weights import labels


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
