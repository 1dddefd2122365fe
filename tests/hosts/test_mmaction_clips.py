"""Augmentation and test crops of clips, against the authors' formulas."""

import math
import random

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope, init_default_scope
from PIL import Image
from torch.nn import functional as F

pytest.importorskip('mmaction')
pytest.importorskip('timm')
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from mmuniformer.errors import UserError
from mmuniformer.hosts.mmaction import clips, views

RNG = np.random.default_rng(0)
MEAN, STD = [114.75] * 3, [57.375] * 3


def seed(number):
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def clip(time=3, height=40, width=56):
    """Frames that differ."""
    cells = RNG.integers(0, 256, (time, height // 8, width // 8, 3), np.uint8)
    return list(cells.repeat(8, 1).repeat(8, 2))


def run(transform, frames, **keys):
    results = dict(imgs=frames, img_shape=frames[0].shape[:2], **keys)
    return transform(results)['imgs']


def interpolate(frames, height, width):
    """As the authors do, on (C, T, H, W)."""
    pixels = torch.tensor(np.stack(frames)).permute(3, 0, 1, 2).float()
    pixels = F.interpolate(
        pixels, (height, width), mode='bilinear', align_corners=False
    )
    return pixels.permute(1, 2, 3, 0).numpy()


@pytest.mark.parametrize(
    'policy', ['rand-m7-n4-mstd0.5-inc1', 'rand-m5-n2-mstd0.25', 'rand']
)
def test_each_frame_is_as_timm_makes_it_from_the_same_draws(policy):
    from timm.data.auto_augment import rand_augment_transform

    frames = clip()
    short = min(frames[0].shape[:2])
    timm = rand_augment_transform(
        policy,
        dict(
            translate_const=int(0.45 * short),
            interpolation=Image.Resampling.BICUBIC,
        ),
    )
    ours = clips.ClipAutoAugment(policy)
    changed = 0
    for number in range(60):
        seed(number)
        found = run(ours, frames)
        for before, after in zip(frames, found):
            seed(number)
            wanted = np.asarray(timm(Image.fromarray(before)))
            assert np.array_equal(after, wanted), number
            changed += not np.array_equal(before, after)
    assert changed > 60


def test_plain_rand_is_two_operations_at_10_without_noise():
    policy = clips.ClipAutoAugment('rand').policy
    assert policy.num_layers == 2 and policy.choice_weights is None
    assert len(policy.ops) == 15
    assert {(op.magnitude, op.prob) for op in policy.ops} == {(10, 0.5)}
    assert {op.magnitude_std for op in policy.ops} == {0}
    assert not any('Increasing' in op.name for op in policy.ops)
    names = {op.name for op in policy.ops}
    assert {'TranslateXRel', 'TranslateYRel', 'Posterize'} <= names
    fills = {op.kwargs['fillcolor'] for op in policy.ops}
    assert fills == {(128, 128, 128)}


def test_augmented_frames_may_be_changed_in_place():
    for frame in run(clips.ClipAutoAugment('rand'), clip()):
        frame += 0


def test_resized_crop_is_one_box_in_floats():
    frames = clip(4)
    transform = clips.ClipResizedCrop(24)
    ramp = np.stack(np.mgrid[:40, :56].astype(np.float32), -1)
    for number in range(30):
        seed(number)
        found = run(transform, frames)
        assert found.shape == (4, 24, 24, 3) and found.dtype == np.float32
        seed(number)
        ys, xs = np.moveaxis(run(transform, [ramp])[0], -1, 0)
        # A point of the result lies where its coordinates say.
        for before, after in zip(frames, found):
            grid = np.stack([(xs + 0.5) / 28 - 1, (ys + 0.5) / 20 - 1], -1)
            inside = (slice(2, -2), slice(2, -2))
            wanted = F.grid_sample(
                torch.tensor(before).permute(2, 0, 1)[None].float(),
                torch.tensor(grid)[None],
                align_corners=False,
            )[0].permute(1, 2, 0)
            assert np.allclose(after[inside], wanted[inside], atol=0.02)


def test_boxes_of_the_resized_crop_are_those_of_the_recipes(monkeypatch):
    boxes = []
    monkeypatch.setattr(
        clips.ClipResizedCrop,
        'resize',
        lambda self, frames, *size: boxes.append(frames[0])
        or np.zeros((1, 1, 1, 1)),
    )
    seed(0)
    y, x = np.mgrid[:240, :320].astype(np.float32)
    transform = clips.ClipResizedCrop(8, scale=(0.08, 1), ratio=(3 / 4, 4 / 3))
    for _ in range(2000):
        run(transform, [np.stack([y, x], -1)])
    area = np.array([b.shape[0] * b.shape[1] for b in boxes]) / (240 * 320)
    ratio = np.array([b.shape[1] / b.shape[0] for b in boxes])
    top = np.array([b[0, 0, 0] for b in boxes])
    assert 0.075 < area.min() < 0.1 and 0.95 < area.max() <= 1
    assert 0.74 < ratio.min() < 0.77 and 1.3 < ratio.max() < 1.35
    small = area < 0.3  # others are drawn again if they do not fit
    assert abs(np.log(ratio[small]).mean()) < 0.02
    room = 240 - np.array([b.shape[0] for b in boxes])[small]
    assert abs((top[small] / room).mean() - 0.5) < 0.03


@pytest.mark.parametrize(
    'height, width, box',
    [
        (20, 100, (0, 36, 20, 27)),  # 20 * 4 / 3 wide
        (100, 20, (36, 0, 27, 20)),  # 20 / (3 / 4) high
    ],
)
def test_long_frames_fall_back_to_their_center(height, width, box):
    frames = list(RNG.random((2, height, width, 3), np.float32))
    seed(0)
    transform = clips.ClipResizedCrop(16, scale=(1, 1))
    top, left, h, w = box
    cut = [f[top : top + h, left : left + w] for f in frames]
    wanted = interpolate(cut, 16, 16)
    assert np.allclose(run(transform, frames), wanted, atol=4e-5)


@pytest.mark.parametrize('channels', [1, 2, 3, 5])
@pytest.mark.parametrize('shape', [(37, 61), (300, 224), (224, 448)])
def test_frames_are_resized_soon_as_by_pytorch(shape, channels):
    frames = RNG.integers(0, 256, (2, *shape, channels), np.uint8)
    found = clips.resize_soon(frames, 224, 224)
    assert np.abs(found - interpolate(frames, 224, 224)).max() < 0.01


def test_erasing_fills_one_box_with_noise_of_each_frame():
    frames = np.full((16, 64, 48, 3), -1000, np.float32)
    seed(3)
    found = run(clips.ClipErasing(1, [50, 100, 150], [1, 2, 4]), frames)
    box = found[..., 0] != -1000
    rows, columns = np.nonzero(box[0])
    y, x = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    wanted = np.zeros((64, 48), bool)
    wanted[y, x] = True
    assert (box == wanted).all()
    noise = (found[:, y, x] - [50, 100, 150]) / [1, 2, 4]
    assert abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.03
    flat = noise.transpose(0, 3, 1, 2).reshape(16 * 3, -1)
    others = np.corrcoef(flat)[~np.eye(48, dtype=bool)]
    assert np.abs(others).max() < 0.5
    assert abs(others.mean()) < 0.01


def test_erasing_draws_the_box_of_timm():
    """Share of the area, aspect and place, by the formula of the recipes."""
    transform = clips.ClipErasing(0.25, MEAN, STD)
    erased = 0
    for number in range(400):
        frames = np.full((2, 56, 56, 3), 1e6, np.float32)
        seed(number)
        found = run(transform, frames)[0, :, :, 0] != 1e6
        random.seed(number)
        wanted = np.zeros((56, 56), bool)
        if random.random() <= 0.25:
            erased += 1
            while True:
                area = random.uniform(0.02, 1 / 3) * 56 * 56
                aspect = math.exp(
                    random.uniform(math.log(0.3), math.log(1 / 0.3))
                )
                h = round(math.sqrt(area * aspect))
                w = round(math.sqrt(area / aspect))
                if h < 56 and w < 56:
                    top = random.randint(0, 56 - h)
                    left = random.randint(0, 56 - w)
                    wanted[top : top + h, left : left + w] = True
                    break
        assert np.array_equal(found, wanted), number
    assert 70 < erased < 130


def test_erasing_without_a_box_leaves_the_pixels():
    frames = clip()
    found = run(clips.ClipErasing(0, MEAN, STD), frames)
    assert found.dtype == np.float32 and np.array_equal(found, frames)


@pytest.mark.parametrize('kind', [np.uint8, np.float32])
def test_channels_are_reversed(kind):
    frames = [frame.astype(kind) for frame in clip()]
    found = run(clips.ReverseChannels(), frames)
    assert np.array_equal(found, np.stack(frames)[..., ::-1])


@pytest.mark.parametrize(
    'shape, wanted',
    [
        ((240, 320), (224, 298)),  # 298.67, rounded down
        ((320, 240), (298, 224)),
        ((256, 341), (224, 298)),  # 298.375
        ((112, 150), (224, 300)),
    ],
)
def test_short_side_in_floats(shape, wanted):
    frames = list(RNG.integers(0, 256, (2, *shape, 3), np.uint8))
    results = dict(imgs=frames, img_shape=shape)
    results = views.ClipResize(224)(results)
    assert results['img_shape'] == wanted
    pixels = interpolate(frames, *wanted)
    assert np.allclose(results['imgs'], pixels, rtol=0, atol=1e-4)


def test_frames_of_the_right_size_stay():
    frames = clip(height=40, width=56)
    assert run(views.ClipResize(40), frames) is frames


@pytest.mark.parametrize(
    'shape, corners',
    [
        ((32, 43), [(0, 0), (0, 6), (0, 11)]),  # 5.5 rounded up
        ((43, 32), [(0, 0), (6, 0), (11, 0)]),
        ((34, 43), [(1, 0), (1, 6), (1, 11)]),
        ((40, 40), [(4, 0), (4, 4), (4, 8)]),
    ],
)
def test_crops_at_the_ends_and_in_the_center(shape, corners):
    y, x = np.mgrid[: shape[0], : shape[1]]
    frames = [np.stack([y, x, y + t], -1) for t in range(4)]
    three = run(views.ClipCrop(32, num_crops=3), frames)
    assert np.shape(three) == (12, 32, 32, 3)
    # All frames of a crop, then the next one.
    assert [tuple(f[0, 0, :2]) for f in three[::4]] == corners
    assert [f[0, 0, 2] - f[0, 0, 0] for f in three] == [0, 1, 2, 3] * 3
    assert np.array_equal(run(views.ClipCrop(32), frames), three[4:8])


@pytest.mark.parametrize(
    'transform', [clips.ClipResizedCrop(24), views.ClipCrop(24)]
)
def test_crops_say_the_shape_of_their_frames(transform):
    results = transform(dict(imgs=clip(), img_shape=(40, 56)))
    assert results['img_shape'] == np.shape(results['imgs'])[1:3] == (24, 24)


def test_bad_crops():
    with pytest.raises(UserError, match=r'num_crops=2: wanted 1 or 3'):
        views.ClipCrop(32, num_crops=2)
    with pytest.raises(UserError, match=r'size=48: .* 40 x 56'):
        run(views.ClipCrop(48), clip())


def test_repeats_are_augmented_apart_from_one_decoding():
    frames = clip()
    before = [frame.copy() for frame in frames]
    with DefaultScope.overwrite_default_scope('mmaction'):
        transform = clips.RepeatedAugment(
            num_repeats=4, transforms=[dict(type='Flip', flip_ratio=0.5)]
        )
    seed(1)
    results = transform(
        dict(imgs=frames, img_shape=(40, 56), modality='RGB', label=3)
    )
    assert len(results) == 4 and {r['label'] for r in results} == {3}
    mirrored = np.stack(before)[:, :, ::-1]
    kinds = [np.array_equal(r['imgs'], mirrored) for r in results]
    assert set(kinds) == {True, False}
    assert np.array_equal(frames, before)


def samples(labels):
    made = []
    for label in labels:
        made.append(ActionDataSample())
        made[-1].set_gt_label(label)
    return made


@pytest.fixture
def mix():
    init_default_scope('mmaction')
    return MODELS.build(dict(type='mmuniformer.ClipMix', num_classes=5))


def test_mix_pairs_a_batch_with_its_reverse(mix):
    """Ratios, boxes and labels by the formula of the recipes."""
    kinds = set()
    for number in range(40):
        inputs = torch.rand(6, 1, 3, 4, 32, 32)
        labels = [0, 1, 2, 3, 4, 0]
        seed(number)
        found, batch = mix(inputs.clone(), samples(labels))
        seed(number)
        assert np.random.rand() < 1  # always one of the two
        cutmix = np.random.rand() < 0.5
        alpha = 1.0 if cutmix else 0.8
        ratio = np.random.beta(alpha, alpha)
        if cutmix:
            side = int(32 * np.sqrt(1 - ratio))
            cy, cx = np.random.randint(32), np.random.randint(32)
            y = slice(max(cy - side // 2, 0), min(cy + side // 2, 32))
            x = slice(max(cx - side // 2, 0), min(cx + side // 2, 32))
            wanted = inputs.clone()
            wanted[..., y, x] = inputs.flip(0)[..., y, x]
            ratio = 1 - (y.stop - y.start) * (x.stop - x.start) / 32**2
        else:
            wanted = ratio * inputs + (1 - ratio) * inputs.flip(0)
        kinds.add(cutmix)
        assert torch.allclose(found, wanted, atol=1e-6)
        hot = F.one_hot(torch.tensor(labels), 5).float()
        soft = torch.stack([sample.gt_label for sample in batch])
        assert torch.allclose(soft, ratio * hot + (1 - ratio) * hot.flip(0))
    assert kinds == {True, False}


def test_mix_in_the_preprocessor_of_mmaction2(mix):
    preprocess = MODELS.build(
        dict(
            type='ActionDataPreprocessor',
            mean=MEAN,
            std=STD,
            format_shape='NCTHW',
            blending=dict(type='mmuniformer.ClipMix', num_classes=5),
        )
    )
    data = dict(
        inputs=[torch.rand(1, 3, 4, 32, 32) for _ in range(4)],
        data_samples=samples([0, 1, 2, 3]),
    )
    plain = preprocess(dict(data), training=False)['inputs'].clone()
    seed(0)
    mixed = preprocess(data, training=True)
    assert not torch.equal(mixed['inputs'], plain)
    assert mixed['inputs'].shape == (4, 1, 3, 4, 32, 32)
    assert {len(s.gt_label) for s in mixed['data_samples']} == {5}
