"""Token labeling: targets, MixToken and loss against their formulas."""

import math

import numpy as np
import pytest
import torch
from mmengine.registry import TRANSFORMS, init_default_scope

pytest.importorskip('mmpretrain')

from mmuniformer.errors import UserError
from mmuniformer.hosts.mmpretrain import token_labels

from .test_mmpretrain import classifier, one_op, sample


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def slow_losses(logits, tokens, target, box):
    """The formulas of the recipes, one number after another."""
    top, bottom, left, right = box
    count, classes, height, width = tokens.shape
    lam = 1 - (bottom - top) * (right - left) / (height * width)

    def entropy(out, wanted):
        total = math.log(sum(math.exp(v) for v in out))
        return sum(w * (total - v) for v, w in zip(out, wanted))

    whole = dense = 0.0
    for b in range(count):
        other = count - 1 - b
        mixed = [
            lam * target[b, k, 0].item()
            + (1 - lam) * target[other, k, 0].item()
            for k in range(classes)
        ]
        whole += entropy(logits[b].tolist(), mixed)
        for y in range(height):
            for x in range(width):
                inside = top <= y < bottom and left <= x < right
                source = other if inside else b
                dense += entropy(
                    tokens[source, :, y, x].tolist(),
                    target[b, :, 1 + y * width + x].tolist(),
                )
    return whole / count, dense / (count * height * width)


@pytest.mark.parametrize('box', [(0, 2, 1, 3), (1, 1, 0, 3), (0, 3, 0, 3)])
def test_loss_is_the_slow_loop(box):
    logits, tokens = random(4, 5) * 4, random(4, 5, 3, 3, seed=1) * 4
    target = random(4, 5, 10, seed=2).softmax(1)
    got = token_labels.losses(logits, tokens, target, box)
    wanted = slow_losses(logits, tokens, target, box)
    assert [float(v) for v in got] == pytest.approx(wanted, rel=1e-12)


def test_swap_is_its_own_inverse():
    x = random(4, 2, 6, 6)
    mixed = token_labels.swap(x, (1, 4, 2, 6))
    assert torch.equal(mixed[0, :, 1:4, 2:], x[3, :, 1:4, 2:])
    assert torch.equal(mixed[0, :, 4:], x[0, :, 4:])
    assert torch.equal(token_labels.swap(mixed, (1, 4, 2, 6)), x)


def test_boxes_of_mixtoken():
    np.random.seed(0)
    boxes = np.array([token_labels.random_box(56, 56) for _ in range(4000)])
    assert boxes.min() == 0 and boxes.max() == 56
    sides = boxes[:, [1, 3]] - boxes[:, [0, 2]]
    assert (sides >= 0).all()
    whole = (boxes[:, [0, 2]] > 0).all(1) & (boxes[:, [1, 3]] < 56).all(1)
    assert (sides[whole, 0] == sides[whole, 1]).all()


def one_class_left(cells=8):
    """A map whose left half is class 1 and whose right half is class 2."""
    labels = torch.zeros(1, 2, 1, cells, cells)
    labels[:, 0] = 9.0
    labels[:, 1, :, :, : cells // 2] = 1
    labels[:, 1, :, :, cells // 2 :] = 2
    return labels


def test_targets_sum_up_and_are_smooth():
    box = torch.tensor([[0.1, 0.2, 0.7, 0.9]])
    target = token_labels.targets(one_class_left(), box, 1000, 7)
    assert target.shape == (1, 1000, 50)
    total = torch.full_like(target[:, 0], 0.9001 + 1000 * 0.0001)
    torch.testing.assert_close(target.sum(1), total, rtol=0, atol=5e-5)
    assert target.min() >= 0.0001


def test_the_two_orders_of_a_box():
    """A crop of the left half: right with 'xy', mirrored as published."""
    left = torch.tensor([[0.0, 0.0, 1.0, 0.5]])
    args = one_class_left(), left, 10, 4
    right = token_labels.targets(*args, box_order='xy')[0, :, 1:]
    assert (right.argmax(0) == 1).all()
    published = token_labels.targets(*args)[0, :, 1:].unflatten(1, (4, 4))
    assert (published[:, :, 0].argmax(0) == 1).all()
    assert (published[:, :, 3].argmax(0) == 2).all()
    transposed = one_class_left().transpose(3, 4)
    mirrored = token_labels.targets(transposed, *args[1:])[0, :, 1:]
    torch.testing.assert_close(
        mirrored.unflatten(1, (4, 4)).transpose(1, 2).flatten(1), right
    )


def test_evaluation_is_the_official_one():
    init_default_scope('mmpretrain')
    golden, model = classifier('uniformer_s_tl', 'cls_tl_s')
    golden.check_outputs([model.eval()(golden.input())])


def small_classifier():
    from mmengine.registry import MODELS

    from .. import TINY

    init_default_scope('mmpretrain')
    return MODELS.build(
        dict(
            type='mmuniformer.TokenLabelClassifier',
            data_preprocessor=dict(num_classes=8),
            backbone=dict(
                type='mmuniformer.UniFormer', arch=TINY, out_indices=(3,)
            ),
            head=dict(
                type='mmuniformer.TokenLabelHead',
                num_classes=8,
                in_channels=32,
                label_size=3,
            ),
        )
    ).double()


def test_classifier_mixes_the_first_embedding(monkeypatch):
    """Box (8, 16, 0, 16) of 24: token row 1, tokens 0 and 1 of it."""
    torch.manual_seed(0)
    model = small_classifier().eval()
    monkeypatch.setattr(
        token_labels, 'random_box', lambda *shape: (8, 20, 0, 16)
    )
    x = random(4, 3, 96, 96)
    labels = [one_class_left()[0] for _ in range(4)]
    boxes = random(4, 4).float().sort(1).values[:, [0, 1, 2, 3]]
    samples = [
        sample(token_label=label, crop_box=box)
        for label, box in zip(labels, boxes)
    ]
    got = model.loss(x, samples)

    backbone, head = model.backbone, model.head
    stem = backbone.patch_embed1(x)
    mixed = stem.clone()
    mixed[:, :, 8:20, 0:16] = stem.flip(0)[:, :, 8:20, 0:16]
    for i in range(4):
        if i:
            mixed = getattr(backbone, f'patch_embed{i + 1}')(mixed)
        mixed = getattr(backbone, f'blocks{i + 1}')(mixed)
    feats = backbone.norm(mixed)
    target = token_labels.targets(torch.stack(labels), boxes, 8, 3)
    tokens = feats.movedim(1, -1)
    wanted = slow_losses(
        head.fc(tokens.mean((1, 2))),
        head.aux_fc(tokens).movedim(-1, 1),
        target,
        (1, 2, 0, 2),
    )
    found = got['loss_cls'].item(), got['loss_tokens'].item()
    # The head computes its losses in float32, as under AMP.
    assert found == pytest.approx(wanted, rel=1e-5)
    assert not backbone.patch_embed1._forward_hooks


@pytest.mark.parametrize('name', ['Rotate', 'ShearX', 'TranslateYRel'])
def test_augmentation_moves_the_map_with_the_picture(name):
    """A map as large as the picture goes where its pixels go."""
    from random import seed

    transform, op = one_op(name, 8)
    op = transform.policy
    op.kwargs = dict(op.kwargs, resample=0, fillcolor=(0, 0, 0))
    values = np.arange(1, 33 * 33 + 1, dtype=np.float32).reshape(33, 33)
    image = np.repeat((values % 251)[..., None], 3, 2).astype(np.uint8)
    label = np.stack([values % 251, values])[:, None]
    seed(3)
    done = transform(dict(img=image, token_label=label))
    got = done['token_label']
    assert np.array_equal(got[0, 0].astype(np.uint8), done['img'][..., 0])
    assert not np.array_equal(got, label)
    assert np.array_equal(got[1] % 251, got[0])
    seed(3)
    assert 'token_label' not in transform(dict(img=image))


def test_colours_leave_the_map_alone():
    transform, _ = one_op('Invert', 5)
    label = np.random.rand(2, 3, 6, 6).astype(np.float32)
    image = np.zeros((8, 8, 3), np.uint8)
    done = transform(dict(img=image, token_label=label))
    assert np.array_equal(done['token_label'], label)
    assert (done['img'] == 255).all()


def build(name, **kwargs):
    return TRANSFORMS.build(dict(type=f'mmuniformer.{name}', **kwargs))


def test_flip_and_crop_go_together():
    """What the crop says of itself is where its pixels are from."""
    ramp = np.tile(np.arange(200, dtype=np.uint8), (100, 1))
    image = np.repeat(ramp[..., None], 3, 2)
    label = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4).repeat(2, 0)
    flip = build('TokenLabelFlip', prob=1.0)
    done = flip(dict(img=image, token_label=label))
    assert done['img'][0, 0, 0] == 199 and done['token_label'][0, 0, 0, 0] == 3
    crop = build('TokenLabelCrop', scale=50)
    for _ in range(20):
        done = crop(dict(img=image, token_label=label))
        top, left, bottom, right = done['crop_box'].tolist()
        assert 0 <= top < bottom <= 1 and 0 <= left < right <= 1
        row = done['img'][25, :, 0].astype(float)
        middle = (left + right) / 2 * 200 - 0.5
        assert row.mean() == pytest.approx(middle, abs=1)


@pytest.fixture
def read(tmp_path):
    """Reads a map that a test has made."""

    def read(label, reader=None):
        folder = tmp_path / 'labels/car'
        folder.mkdir(parents=True, exist_ok=True)
        if label is not None:
            torch.save(label, folder / 'x.pt')
        reader = reader or build(
            'LoadTokenLabel', folder=str(tmp_path / 'labels'), num_classes=8
        )
        return reader(dict(img_path='data/imagenet/train/car/x.JPEG'))

    return read


@pytest.mark.parametrize(
    ('label', 'message'),
    [
        (None, 'no such file'),
        (torch.zeros(2, 5, 18), r'shape \(2, 5, 18\)'),
        (torch.full((2, 5, 18, 18), 8), 'class 8, but there are 8'),
        (dict(x=1), r'shape \(\)'),
    ],
)
def test_a_bad_label_map_is_named(read, label, message):
    with pytest.raises(UserError, match=message) as error:
        read(label)
    assert 'x.pt' in str(error.value) and 'label map' in str(error.value)


def test_a_label_map_of_another_size_is_named(read, tmp_path):
    reader = build('LoadTokenLabel', folder=str(tmp_path / 'labels'))
    read(torch.zeros(2, 5, 18, 18).half(), reader)
    with pytest.raises(UserError, match=r'\(2, 5, 14, 14\), others have'):
        read(torch.zeros(2, 5, 14, 14), reader)


def test_box_order_is_checked():
    from mmuniformer.hosts.mmpretrain.heads import TokenLabelHead

    with pytest.raises(UserError, match='box_order'):
        TokenLabelHead(8, 32, 3, box_order='yx')
