"""Our pose recipes in mmpose: every one trains and tests.

And mmpose does with them what the authors' version did; the formulas are
those of mmpose 0.16, written down anew.
"""

from math import isfinite

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmuniformer  # noqa: F401, the shims

from .. import ROOT
from . import steps

pytest.importorskip('mmpose')

from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS

RECIPES = sorted(
    path.stem
    for path in (ROOT / 'configs/pose').glob('*.py')
    if 'toy' not in path.stem
)
RECIPE = ROOT / 'configs/pose/topdown_uniformer_s_256x192.py'
DRAWS = 20000


@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_training_and_of_testing(name, toy_data):
    cfg = steps.load(f'pose/{name}', toy_data)
    losses, unused, samples = steps.run(cfg)
    assert all(map(isfinite, losses.values()))
    assert not unused
    found = samples[0].pred_instances
    assert found.keypoints.shape == (1, 17, 2)
    assert np.isfinite(found.keypoints).all()


@pytest.fixture(scope='module')
def cfg():
    cfg = Config.fromfile(RECIPE)
    init_default_scope(cfg.default_scope)
    return cfg


@pytest.fixture
def build(cfg):
    """Builds a transform of the training pipeline by its name."""
    np.random.seed(0)
    pipeline = cfg.train_dataloader.dataset.pipeline
    by_name = {entry['type'].split('.')[-1]: entry for entry in pipeline}
    return lambda name: TRANSFORMS.build(by_name[name])


def person(box, joints=((0, 0),)):
    """A sample as the data set gives it; the box is left, top, w, h."""
    left, top, width, height = box
    return dict(
        img=np.zeros((200, 200, 3), np.uint8),
        bbox=np.float32([[left, top, left + width, top + height]]),
        keypoints=np.float32([joints]),
    )


def test_center_jitter(build):
    boxes = np.tile(np.float32([[10, 20, 110, 60]]), (DRAWS, 1))
    centers = np.zeros((DRAWS, 2), np.float32)
    results = dict(bbox=boxes, bbox_center=centers)
    moves = build('RandomCenterShift')(results)['bbox_center']
    moved = moves[moves.any(1)]
    assert len(moved) / DRAWS == pytest.approx(0.3, abs=0.01)
    for axis, side in ((0, 100), (1, 40)):
        quantiles = np.quantile(moved[:, axis] / side, [0, 0.25, 0.75, 1])
        wanted = [-0.2, -0.1, 0.1, 0.2]
        assert quantiles == pytest.approx(wanted, abs=0.008)
    assert np.corrcoef(moved.T)[0, 1] == pytest.approx(0, abs=0.04)


@pytest.fixture
def scaled(build):
    results = dict(bbox_scale=np.ones((DRAWS, 2), np.float32))
    return build('RandomScaleRotation')(results)


def test_scale_is_a_clipped_normal_draw(scaled):
    scale = scaled['bbox_scale']
    assert (scale[:, 0] == scale[:, 1]).all()
    for limit in (0.5, 1.5):
        share = (scale[:, 0] == np.float32(limit)).mean()
        assert share == pytest.approx(0.1587, abs=0.01)
    assert np.quantile(scale, [0.3, 0.5, 0.7]) == pytest.approx(
        [0.738, 1, 1.262], abs=0.015
    )


def test_rotation_is_a_clipped_normal_draw(scaled):
    angle = scaled['bbox_rotation']
    rotated = angle[angle != 0]
    assert len(rotated) / DRAWS == pytest.approx(0.6, abs=0.01)
    assert abs(rotated).max() == 80
    at_the_limit = (abs(rotated) == 80).mean()
    assert at_the_limit == pytest.approx(0.0455, abs=0.006)
    assert np.quantile(rotated, [0.25, 0.75]) == pytest.approx(
        [-27, 27], abs=1.5
    )


UPPER, LOWER = list(range(11)), list(range(11, 17))


def half_bodies(transform, visible):
    """Which half is taken in many draws, or None for the whole."""
    visible = np.float32([[i in visible for i in range(17)]])
    taken = []
    for _ in range(2000):
        ids = transform._random_select_half_body(visible, UPPER, LOWER)[0]
        taken.append(None if ids is None else tuple(ids))
    return taken


def test_half_body_of_a_whole_person(build):
    taken = half_bodies(build('RandomHalfBody'), range(17))
    assert taken.count(None) / 2000 == pytest.approx(0.7, abs=0.03)
    upper = taken.count(tuple(UPPER))
    assert upper / (2000 - taken.count(None)) == pytest.approx(0.69, abs=0.05)


def test_half_body_wants_more_than_eight_joints(build):
    transform = build('RandomHalfBody')
    assert set(half_bodies(transform, range(3, 11))) == {None}
    assert None in half_bodies(transform, range(2, 11))
    assert tuple(range(2, 11)) in half_bodies(transform, range(2, 11))


def test_half_body_with_too_few_lower_joints_is_the_upper_one(build):
    taken = half_bodies(build('RandomHalfBody'), range(13))
    assert set(taken) == {None, tuple(UPPER)}


@pytest.mark.parametrize('rotation', [0, 30, -75])
@pytest.mark.parametrize('box', [(30, 40, 50, 30), (60, 20, 20, 150)])
def test_crop(build, box, rotation):
    """The longer side, after the aspect, is padded by 1.25."""
    left, top, width, height = box
    joints = [(40, 50), (75, 66), (61, 140)]
    results = build('GetBBoxCenterScale')(person(box, joints))
    results['bbox_rotation'] = np.float32([rotation])
    results = build('TopdownAffine')(results)
    found = results['transformed_keypoints'][0]

    pixels = 192 / (1.25 * max(width, 0.75 * height))
    center = left + width / 2, top + height / 2
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    turn = np.array([[cos, sin], [-sin, cos]])
    wanted = pixels * (np.array(joints) - center) @ turn.T + (96, 128)
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    assert results['img'].shape == (256, 192, 3)
    # The area of the box, which OKS suppression uses, is the padded one.
    assert results['bbox_scale'][0] == pytest.approx(
        (192 / pixels, 256 / pixels)
    )


def target_of_0_16(joints, visible, sigma, size, stride):
    """Heat maps and weights, joint by joint."""
    width, height = size
    maps = np.zeros((len(joints), height, width), np.float32)
    weights = np.float32(visible)
    for k, (x, y) in enumerate(joints):
        column, row = int(x / stride + 0.5), int(y / stride + 0.5)
        reach = 3 * sigma
        if (
            column - reach >= width
            or row - reach >= height
            or column + reach + 1 < 0
            or row + reach + 1 < 0
        ):
            weights[k] = 0
        if weights[k] > 0.5:
            rows, columns = np.mgrid[:height, :width]
            right, down = columns - column, rows - row
            bump = np.exp(-(right**2 + down**2) / (2 * sigma**2))
            near = (abs(right) <= reach) & (abs(down) <= reach)
            maps[k] = bump * near
    return maps, weights


@pytest.mark.parametrize('sigma', [2, 3])
def test_targets(sigma):
    codec = KEYPOINT_CODECS.build(
        dict(
            type='MSRAHeatmap',
            input_size=(192, 256),
            heatmap_size=(48, 64),
            sigma=sigma,
        )
    )
    rng = np.random.default_rng(0)
    joints = rng.uniform(-60, 320, (200, 2)).astype(np.float32)
    visible = np.float32(rng.random(200) < 0.8)
    encoded = codec.encode(joints[None], visible[None])
    maps, weights = target_of_0_16(joints, visible, sigma, (48, 64), 4)
    np.testing.assert_array_equal(encoded['keypoint_weights'][0], weights)
    np.testing.assert_allclose(encoded['heatmaps'], maps, atol=1e-6)


def test_decoder_moves_a_quarter_towards_the_higher_neighbour(cfg):
    codec = KEYPOINT_CODECS.build(cfg.model.head.decoder)
    maps = np.zeros((3, 64, 48), np.float32)
    maps[:, 30, 20] = 1
    maps[0, 30, 21] = maps[0, 29, 20] = 0.5
    maps[1, 30, 19] = 0.5
    joints, scores = codec.decode(maps)
    wanted = np.array([[20.25, 29.75], [19.75, 30], [20, 30]]) * 4
    np.testing.assert_allclose(joints[0], wanted)
    assert (scores == 1).all()


def test_loss_is_the_mean_of_the_joints_losses():
    torch.manual_seed(0)
    output, target = torch.rand(2, 2, 17, 8, 6)
    weight = (torch.rand(2, 17) < 0.7).float()
    square = ((output - target) * weight[..., None, None]) ** 2
    wanted = torch.stack([square[:, k].mean() for k in range(17)]).mean()
    loss = KeypointMSELoss(use_target_weight=True)
    torch.testing.assert_close(loss(output, target, weight), wanted)


def test_head_starts_as_the_simple_baseline(cfg):
    torch.manual_seed(0)
    head = MODELS.build(cfg.model.head)
    head.init_weights()
    *deconvs, final = [m for m in head.modules() if hasattr(m, 'kernel_size')]
    for conv in (*deconvs, final):
        assert float(conv.weight.std()) == pytest.approx(1e-3, rel=0.05)
    assert [conv.bias for conv in deconvs] == [None] * 3
    assert not final.bias.any()
    norms = [m for m in head.modules() if hasattr(m, 'running_mean')]
    assert {type(norm) for norm in norms} == {torch.nn.BatchNorm2d}
    assert all((norm.weight == 1).all() for norm in norms)
