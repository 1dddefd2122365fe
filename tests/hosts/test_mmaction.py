"""Every video recipe trains and tests in mmaction2, reduced."""

from math import isfinite
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import nn
from torch.nn import functional as F

from mmuniformer.analysis.complexity import build_on_meta
from mmuniformer.engine import LoadReportHook
from mmuniformer.models import UniFormer
from mmuniformer.weights import transfer
from mmuniformer.weights.load import load_content

from .. import ROOT, TINY
from ..golden import Golden
from ..models import tiny
from ..published_files import classifier, zeros
from . import steps

pytest.importorskip('mmaction')


def kind(name):
    """What is left of a recipe when it is shrunk: data and kind of network."""
    cfg = Config.fromfile(ROOT / f'configs/video/{name}.py')
    dataset, backbone = cfg.train_dataloader.dataset, cfg.model.backbone
    sampler = next(s.type for s in dataset.pipeline if 'clip_len' in s)
    scaled = 'layer_scale_init_value' in backbone
    optimizer = cfg.optim_wrapper.constructor
    return dataset.data_root, sampler, backbone.type, scaled, optimizer


NAMES = sorted(
    path.stem
    for path in (ROOT / 'configs/video').glob('*.py')
    if 'toy' not in path.stem
)
# The last of each kind; 39 recipes shrink to a few.
RECIPES = sorted({kind(name): name for name in NAMES}.values())
LAYOUTS = {
    'kinetics400': 'train/{}.mp4',
    'kinetics600': 'train/{}.mp4',
    'ucf101': 'videos/{}.mp4',
    'sthv1': '20bn-something-something-v1/{}/{{:05}}.jpg',
    'sthv2': 'frames/{}/img_{{:05}}.jpg',
    'hmdb51': 'frames/{}/img_{{:05}}.jpg',
}
FRAMES = 12


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmaction')


def write_video(path, frames):
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, frames.shape[2:0:-1]
    )
    for frame in frames:
        writer.write(frame)
    writer.release()


@pytest.fixture(scope='session')
def clips(tmp_path_factory):
    """A folder with one short video in every layout of the recipes."""
    data = tmp_path_factory.mktemp('video')
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, 9, 12, 3))
    frames = noise.astype(np.uint8).repeat(8, 1).repeat(8, 2)
    for name, path in LAYOUTS.items():
        path = data / name / path.format('a')
        path.parent.mkdir(parents=True)
        lists = path.parents[1]
        if path.suffix == '.mp4':
            write_video(path, frames)
            space = ' ' if name == 'ucf101' else ','
            for split in ('train', 'val'):
                (lists / f'{split}.csv').write_text(f'a.mp4{space}3\n')
                (lists / split).exists() or (lists / split).symlink_to('train')
            continue
        for i, frame in enumerate(frames, 1):
            cv2.imwrite(str(path).format(i), frame)
        for split in ('train', 'val'):
            (path.parents[2] / f'{split}.txt').write_text(f'a {FRAMES} 3\n')
    return data


def shrink(cfg, size=64, frames=4):
    """The same pipelines and kinds of blocks, on a network of nothing."""
    train, test = (
        cfg[f'{split}_dataloader'].dataset.pipeline
        for split in ('train', 'test')
    )
    for step in [*train, *train[-1].transforms, *test]:
        if 'clip_len' in step:
            step.clip_len = frames
        if 'size' in step:
            step.size = size
    kind = MODELS.get(cfg.model.backbone.type)
    arch = kind.archs[cfg.model.backbone.arch]
    cfg.model.backbone.arch = arch._replace(**TINY)._asdict()
    cfg.model.cls_head.in_channels = TINY['embed_dims'][3]


@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_training_and_of_testing(name, clips):
    from mmaction.datasets import repeat_pseudo_collate

    cfg = steps.load(f'video/{name}', clips)
    shrink(cfg)
    losses, unused, samples = steps.run(cfg, collate=repeat_pseudo_collate)
    assert all(map(isfinite, losses.values()))
    assert ('loss_cls_token' in losses) == ('_x' in name)
    assert not unused
    assert samples[0].pred_score.shape == (cfg.model.cls_head.num_classes,)


def recogniser(name, case=None, **kwargs):
    """A recipe's whole model, with the weights of a recorded case."""
    cfg = steps.load(f'video/{name}', ROOT)
    cfg.model.backbone.update(drop_path_rate=0.0, **kwargs)
    model = MODELS.build(cfg.model).double().eval()
    if case:
        state = transfer.to_host(Golden(case).state(), 'mmaction2')
        model.load_state_dict(state)
    return model


def samples(count, classes=400):
    from mmaction.structures import ActionDataSample

    labels = torch.rand((count, classes)).softmax(1)
    return [ActionDataSample().set_gt_label(label) for label in labels]


GOLDENS = {
    'video_s': 'uniformer_s_16x4_k400',
    'video_xxs': 'uniformer_xxs_16_128_k400',
    'video_xxs_ls': 'uniformer_xxs_4_128_k400',
}


@pytest.mark.parametrize('case', GOLDENS)
def test_predictions_are_those_of_the_official_model(case):
    golden = Golden(case)
    model = recogniser(GOLDENS[case], case)
    x = golden.input()
    with torch.no_grad():
        found = model(x[:, None], samples(len(x)), mode='predict')
    golden.check_outputs([torch.stack([s.pred_score for s in found])])


def test_each_branch_of_the_light_head_has_half_of_the_loss():
    model = recogniser('uniformer_xxs_16_128_k400', 'video_xxs')
    with torch.no_grad():
        feats = model.backbone(Golden('video_xxs').input())
        batch = samples(len(feats[1]))
        losses = model.cls_head.loss(feats, batch)
        outputs = model.cls_head.both(feats)
    target = 0.9 * torch.stack([s.gt_label for s in batch]) + 0.1 / 400
    halves = [
        -0.5 * (target * out.log_softmax(1)).sum(1).mean() for out in outputs
    ]
    assert not torch.allclose(*outputs)
    assert [losses['loss_cls'], losses['loss_cls_token']] == pytest.approx(
        halves
    )


def shrunk(name, **kwargs):
    """A recipe's model on a network of nothing, with values everywhere."""
    cfg = steps.load(f'video/{name}', ROOT)
    shrink(cfg)
    cfg.model.backbone.update(kwargs)
    model = MODELS.build(cfg.model).double().eval()
    tiny.randomize(model)
    return model


KINDS = ['uniformer_s_16x4_k400', 'uniformer_xxs_16_128_k400']


def predict(model, views):
    """Scores (K,) of a video whose views are (V, C, T, H, W)."""
    with torch.no_grad():
        return model(views[None], samples(1), mode='predict')[0].pred_score


@pytest.mark.parametrize('name', KINDS)
def test_logits_of_views_are_averaged(name):
    model = shrunk(name)
    views = tiny.images(model.backbone, batch=3)
    alone = [predict(model, view[None]) for view in views]
    torch.testing.assert_close(predict(model, views), sum(alone) / 3)


@pytest.mark.parametrize('name', KINDS)
def test_views_may_go_through_the_network_in_parts(name):
    model = shrunk(name)
    views = tiny.images(model.backbone, batch=3)
    whole = predict(model, views)
    model.test_cfg = dict(max_testing_views=2)
    torch.testing.assert_close(predict(model, views), whole)


def repeat_borders(model):
    """In time, repeats the first and the last frame in place of zeros."""
    for conv in model.modules():
        if isinstance(conv, nn.Conv3d) and conv.padding[0]:
            pad = (0, 0, 0, 0, conv.padding[0], conv.padding[0])
            conv.padding = (0, *conv.padding[1:])
            conv.register_forward_pre_hook(
                lambda _, x, pad=pad: F.pad(x[0], pad, 'replicate')
            )


@pytest.mark.parametrize(
    'inflate, borders',
    [('centre', 'zeros'), ('centre', 'repeated'), ('average', 'repeated')],
)
def test_a_still_video_is_its_image(tmp_path, inflate, borders):
    """An image model that was inflated sees the image in each frame.

    Averages are over time, so that at the borders they need the frames that
    a longer video would have.
    """
    arch = dict(UniFormer.archs['s']._replace(**TINY)._asdict())
    flat = UniFormer(arch).double().eval()
    tiny.randomize(flat)
    torch.save({'model': flat.state_dict()}, tmp_path / 'image.pth')
    model = shrunk(KINDS[0])
    model.backbone.init_cfg = dict(
        type='Pretrained',
        checkpoint=str(tmp_path / 'image.pth'),
        inflate=inflate,
    )
    model.backbone.init_weights()
    if borders == 'repeated':
        repeat_borders(model)
    image = tiny.images(flat, batch=1)
    video = image[:, :, None].expand(-1, -1, 6, -1, -1)
    with torch.no_grad():
        wanted = model.cls_head.fc_cls(flat(image)[-1].flatten(2).mean(2))
    torch.testing.assert_close(predict(model, video), wanted[0])


# Each kind of published file: name, wrapper, keys, and the recipe for it.
FILES = {
    'uniformer_small_k400_16x4': (
        'model_state',
        classifier('s', 400, ndim=3),
        'uniformer_s_16x4_k400',
    ),
    'uniformer_base_k600_32x4': (
        None,
        classifier('b', 600, ndim=3),
        'uniformer_b_32x4_k600',
    ),
    'uniformer_base_sthv2_32_prek600': (
        'model',
        classifier('b', 174, ndim=3),
        'uniformer_b_32_ssv2_prek600',
    ),
    'uniformer_s16x4_ucf101_prek400': (
        'model_state',
        classifier('s', 101, ndim=3),
        'uniformer_s_16x4_ucf101',
    ),
    'uniformer_xxs16_128_k400': (
        None,
        classifier('xxs', 400, ndim=3),
        'uniformer_xxs_16_128_k400',
    ),
    'uniformer_xxs4_160_k400': (
        None,
        classifier('xxs', 400, ndim=3, scaled='1234'),
        'uniformer_xxs_4_160_k400',
    ),
    'uniformer_xs32_192_k400': (
        None,
        classifier('xs', 400, ndim=3),
        'uniformer_xs_32_192_k400',
    ),
}


def on_meta(name):
    return build_on_meta(steps.load(f'video/{name}', ROOT).model)


@pytest.mark.parametrize('name', FILES)
def test_a_published_file_loads_whole_into_its_recipe(name):
    wrapper, keys, recipe = FILES[name]
    model, content = on_meta(recipe), zeros(keys)
    content = {wrapper: content} if wrapper else content
    runner = SimpleNamespace(
        model=model, _load_from=f'{name}.pth', _resume=False, _train_loop=None
    )
    LoadReportHook().after_load_checkpoint(runner, content)
    got = {k: v.shape for k, v in content['state_dict'].items()}
    assert got == {k: v.shape for k, v in model.state_dict().items()}


# Files that recipes start from, by the kinds of models that do.
STARTS = {
    'uniformer_s_16x4_k400': classifier('s'),
    'uniformer_b_16x4_k400': classifier('b'),
    'uniformer_s_16_ssv1_prek400': classifier('s', 400, ndim=3),
    'uniformer_b_32_ssv2_prek600': classifier('b', 600, ndim=3),
    'uniformer_s_16x4_hmdb51': classifier('s', 400, ndim=3),
    'uniformer_xxs_32_160_k400': classifier('xxs'),
    'uniformer_xxs_8_128_k400': classifier('xxs'),
    'uniformer_xs_32_192_k400': classifier('xs'),
}


@pytest.mark.filterwarnings('ignore:.*meta parameter')
@pytest.mark.parametrize('name', STARTS)
def test_starting_weights_fill_the_backbone(name):
    init = Config.fromfile(ROOT / f'configs/video/{name}.py')
    init = init.model.backbone.init_cfg
    backbone = on_meta(name).backbone
    match = load_content(
        backbone,
        zeros(STARTS[name]),
        init.checkpoint,
        allow_partial=init.get('allow_partial', False),
    )
    scales = [k for k in backbone.state_dict() if 'gamma' in k]
    assert match.missing == scales
    assert bool(scales) == (name == 'uniformer_xxs_8_128_k400')


def test_the_light_head_starts_from_small_normals_and_no_bias():
    torch.manual_seed(0)
    head = MODELS.build(
        dict(
            type='mmuniformer.LightVideoHead',
            num_classes=20,
            in_channels=500,
            init_std=0.01,
        )
    )
    head.init_weights()
    for layer in (head.fc_cls, head.fc_token):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert not layer.bias.any()
