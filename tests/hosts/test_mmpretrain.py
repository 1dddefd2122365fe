"""Every classification recipe trains and tests in mmpretrain, reduced."""

import random
from math import isfinite

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

from mmuniformer.weights import transfer

from .. import ROOT, TINY
from ..golden import Golden, check_tensor
from . import steps

pytest.importorskip('mmpretrain')

RECIPES = sorted(
    path.stem
    for path in (ROOT / 'configs/cls').glob('*.py')
    if 'toy' not in path.stem
)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


def folder(cfg, data, classes=8):
    """Has a recipe read folders, for that many classes."""
    reader = cfg.train_dataloader.dataset.pipeline[1]
    if reader.type == 'mmuniformer.LoadTokenLabel':
        reader.update(folder=str(label_maps(data)), num_classes=classes)
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.type = 'CustomDataset'
    cfg.model.data_preprocessor.num_classes = classes
    cfg.model.head.num_classes = classes
    return cfg


def label_maps(data, classes=8, cells=6):
    """Writes a label map for each training picture of a toy world."""
    random = torch.Generator().manual_seed(0)
    root = data / 'imagenet/labels'
    for path in (data / 'imagenet/train').glob('*/*.JPEG'):
        scores = torch.rand((3, cells, cells), generator=random) * 9
        ids = torch.rand((classes, cells, cells), generator=random)
        label = torch.stack([scores, ids.argsort(0)[:3].float()])
        folder = root / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(label.half(), folder / f'{path.stem}.pt')
    return root


def shrink(cfg, size=64):
    """The same pipelines and kinds of blocks, on a network of nothing."""
    train, test = (
        cfg[f'{split}_dataloader'].dataset.pipeline
        for split in ('train', 'test')
    )
    for entry in train:
        if 'scale' in entry:
            entry.scale = size
    test[2].crop_size = size
    test[1].scale = size + 8
    if 'label_size' in cfg.model.head:
        cfg.model.head.label_size = size // 32
    kind = MODELS.get(cfg.model.backbone.type)
    arch = kind.archs[cfg.model.backbone.arch]
    cfg.model.backbone.arch = arch._replace(**TINY)._asdict()
    cfg.model.backbone.pop('head_dim', None)
    cfg.model.head.in_channels = TINY['embed_dims'][3]


@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_training_and_of_testing(name, toy_data):
    cfg = folder(steps.load(f'cls/{name}', toy_data), toy_data)
    shrink(cfg)
    losses, unused, samples = steps.run(cfg)
    assert all(map(isfinite, losses.values()))
    assert not unused
    assert samples[0].pred_score.shape == (8,)


def classifier(name, case):
    """A recipe's whole model with the weights of a recorded case."""
    golden = Golden(case)
    cfg = steps.load(f'cls/{name}', ROOT)
    cfg.model.backbone.drop_path_rate = 0.0
    model = MODELS.build(cfg.model).double()
    model.load_state_dict(transfer.to_host(golden.state(), 'mmpretrain'))
    return golden, model


def sample(**values):
    from mmpretrain.structures import DataSample

    made = DataSample()
    for name, value in values.items():
        made.set_field(value, name)
    return made


def test_branches_of_the_light_head_are_the_official_ones():
    golden, model = classifier('uniformer_xxs_128', 'cls_xxs_train')
    model.train()
    feats = model.extract_feat(golden.input())
    outputs = model.head.both(feats)
    golden.check_outputs(outputs)
    target = torch.rand(outputs[0].shape).softmax(1)
    losses = model.head.loss(feats, [sample(gt_score=t) for t in target])
    smooth = 0.9 * target + 0.1 / 1000
    halves = [
        -0.5 * (smooth * out.log_softmax(1)).sum(1).mean() for out in outputs
    ]
    assert sum(losses.values()).item() == pytest.approx(sum(halves).item())


def test_only_patches_predict():
    golden, model = classifier('uniformer_xxs_128', 'cls_xxs')
    logits = model.eval()(golden.input())
    check_tensor(logits, golden.record['outputs'][0])


OPS = """AutoContrast Equalize Invert Rotate PosterizeIncreasing
SolarizeIncreasing SolarizeAdd ColorIncreasing ContrastIncreasing
BrightnessIncreasing SharpnessIncreasing ShearX ShearY TranslateXRel
TranslateYRel""".split()
V0 = """Equalize .8 1, ShearY .8 4; Color .4 9, Equalize .6 3;
Color .4 1, Rotate .6 8; Solarize .8 3, Equalize .4 7;
Solarize .4 2, Solarize .6 2; Color .2 0, Equalize .8 8;
Equalize .4 8, SolarizeAdd .8 3; ShearX .2 9, Rotate .6 8;
Color .6 1, Equalize 1 2; Invert .4 9, Rotate .6 0;
Equalize 1 9, ShearY .6 3; Color .4 7, Equalize .6 0;
Posterize .4 6, AutoContrast .4 7; Solarize .6 8, Color .6 9;
Solarize .2 4, Rotate .8 9; Rotate 1 7, TranslateYRel .8 9;
ShearX 0 0, Solarize .8 4; ShearY .8 0, Color .6 4; Color 1 0, Rotate .6 2;
Equalize .8 4, Equalize 0 8; Equalize 1 4, AutoContrast .6 2;
ShearY .4 7, SolarizeAdd .6 7; Posterize .8 2, Solarize .6 10;
Solarize .6 8, Equalize .6 1; Color .8 6, Rotate .4 5"""


@pytest.fixture
def picture():
    return np.random.RandomState(0).randint(0, 256, (48, 64, 3), np.uint8)


def augment(policy):
    from mmuniformer.hosts.mmpretrain.transforms import (
        TimmAutoAugment,
    )

    pytest.importorskip('timm')
    return TimmAutoAugment(policy=policy)


def test_rand_augment_is_the_published_one():
    policy = augment('rand-m9-mstd0.5-inc1').policy
    assert (policy.num_layers, policy.choice_weights) == (2, None)
    assert [op.name for op in policy.ops] == OPS
    for op in policy.ops:
        assert (op.prob, op.magnitude, op.magnitude_std) == (0.5, 9, 0.5)
        assert op.kwargs == dict(fillcolor=(124, 116, 104), resample=3)


def test_auto_augment_is_the_published_table():
    pairs = augment('v0').policy.policy
    wanted = [
        [(op.split()[0], *map(float, op.split()[1:])) for op in pair]
        for pair in (p.split(', ') for p in V0.replace('\n', ' ').split('; '))
    ]
    assert len(pairs) == 25
    assert [
        [(op.name, op.prob, op.magnitude) for op in pair] for pair in pairs
    ] == wanted
    assert all(op.magnitude_std == 0 for pair in pairs for op in pair)


# What timm's operations do at level L, as the recipes have it; signs drawn.
LEVELS = {
    'Rotate': lambda v: 3 * v,
    'ShearX': lambda v: 0.03 * v,
    'TranslateYRel': lambda v: 0.045 * v,
    'ColorIncreasing': lambda v: 0.09 * v,
    'Color': lambda v: 0.1 + 0.18 * v,
    'PosterizeIncreasing': lambda v: 4 - int(0.4 * v),
    'Posterize': lambda v: int(0.4 * v),
    'SolarizeIncreasing': lambda v: 256 - int(25.6 * v),
    'Solarize': lambda v: min(256, int(25.6 * v)),
    'SolarizeAdd': lambda v: int(11 * v),
}


@pytest.mark.parametrize('name', LEVELS)
def test_levels_of_timm(name):
    from timm.data.auto_augment import LEVEL_TO_ARG

    hparams = augment('v0').policy.policy[0][0].hparams
    for level in range(11):
        value = LEVEL_TO_ARG[name](level, hparams)[0]
        if name == 'ColorIncreasing':
            value = value - 1
        signed = LEVELS[name](level)
        assert abs(value) == pytest.approx(signed, abs=1e-9)


def one_op(name, level):
    """A transform that always does one operation at one level."""
    from timm.data.auto_augment import AugmentOp

    transform = augment('rand-m9-mstd0.5-inc1')
    op = transform.policy.ops[OPS.index(name)]
    op.prob, op.magnitude, op.magnitude_std = 1.0, level, 0
    transform.policy = op
    return transform, AugmentOp(name, 1.0, level, dict(op.hparams))


@pytest.mark.parametrize('name', OPS)
@pytest.mark.parametrize('level', [0, 1, 5, 9, 10])
def test_pixels_are_those_of_timm(name, level, picture):
    """Red first for timm, blue first in mmpretrain; nothing else between."""
    from random import seed

    from PIL import Image

    transform, op = one_op(name, level)
    op.magnitude_std = 0
    seed(level)
    got = transform(dict(img=picture[..., ::-1]))['img'][..., ::-1]
    if (name, level) == ('PosterizeIncreasing', 10):
        assert not got.any()  # 0 bits, which Pillow 13 refuses
        return
    seed(level)
    assert np.array_equal(got, np.asarray(op(Image.fromarray(picture))))


def test_posterize_of_the_light_recipes_is_black(picture):
    transform = augment('v0')
    (transform.policy,) = (
        op
        for op in transform.policy.policy[22]
        if (op.name, op.magnitude) == ('Posterize', 2)
    )
    transform.policy.prob = 1.0
    assert not transform(dict(img=picture))['img'].any()


def test_erasing_is_standard_normal_after_normalisation(picture):
    cfg = steps.load('cls/uniformer_s', ROOT)
    erase = dict(cfg.train_dataloader.dataset.pipeline[4], prob=1.0)
    del erase['on_device']
    from mmengine.registry import TRANSFORMS

    transform = TRANSFORMS.build(erase)
    model = MODELS.build(
        dict(cfg.model.data_preprocessor, type='ClsDataPreprocessor')
    )
    values, shares = [], []
    for _ in range(60):
        image = transform(dict(img=picture.copy()))['img']
        changed = (image != picture).any(2)
        shares.append(changed.mean())
        inputs = torch.from_numpy(image).permute(2, 0, 1)[None]
        out = model(dict(inputs=inputs))['inputs'][0]
        values.append(out[:, torch.from_numpy(changed)].flatten())
        assert np.array_equal(image[~changed], picture[~changed])
    values = torch.cat(values)
    assert abs(values.mean()) < 0.02 and abs(values.std() - 1) < 0.02
    assert values.abs().max() > 3.5  # not cut off at white and black
    assert 0.01 < min(shares) and 0.25 < max(shares) < 0.36


def test_the_device_erases_what_workers_would(picture):
    from mmengine.dataset import default_collate
    from mmengine.registry import TRANSFORMS

    cfg = steps.load('cls/uniformer_s', ROOT)
    erase, pack = cfg.train_dataloader.dataset.pipeline[4:]
    model = MODELS.build(dict(cfg.model.data_preprocessor))
    batches = []
    for on_device in (True, False):
        own = dict(erase, prob=0.5, on_device=on_device)
        steps_of_one = [TRANSFORMS.build(step) for step in (own, pack)]
        random.seed(0)
        torch.manual_seed(0)
        samples = []
        for number in range(12):
            sample = dict(img=picture.copy(), gt_label=number)
            for step in steps_of_one:
                sample = step(sample)
            samples.append(sample)
        batches.append(model(default_collate(samples), True)['inputs'])
    found, wanted = (batch.movedim(1, -1) for batch in batches)
    erased = (found != wanted).any(-1)
    # The noise of workers is that of blue first.
    torch.testing.assert_close(
        found[erased].flip(-1), wanted[erased], rtol=0, atol=1e-5
    )
    assert 2 < erased.any(-1).any(-1).sum() < 12


@pytest.mark.parametrize('kind', ['LightClsHead', 'TokenLabelHead'])
def test_heads_start_from_normals_and_no_bias(kind):
    cfg = dict(type=f'mmuniformer.{kind}', num_classes=20, in_channels=500)
    if kind == 'TokenLabelHead':
        cfg['label_size'] = 7
    torch.manual_seed(0)
    head = MODELS.build(cfg)
    head.init_weights()
    layers = [m for m in head.modules() if isinstance(m, torch.nn.Linear)]
    assert len(layers) == 2
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert not layer.bias.any()
