"""The stand-in for compiled mmcv operators equals the compiled ones."""

import numpy as np
import pytest
import torch

from mmuniformer.compat import mmcv_ext

from . import cases

TOLERANCE = dict(rtol=0, atol=1e-5)


@pytest.fixture(scope='module')
def record():
    return np.load(cases.RECORD)


@pytest.fixture
def native():
    ext = pytest.importorskip('mmcv._ext')
    if cases.is_stand_in(ext):
        pytest.skip('native mmcv operators are not installed')
    return ext


@pytest.mark.parametrize('i', range(len(cases.ROI_CASES)))
def test_roi_align_equals_recorded(record, i):
    out, grad = cases.roi_align(mmcv_ext, *cases.ROI_CASES[i])
    wanted = torch.from_numpy(record[f'roi_align/{i}/out'])
    torch.testing.assert_close(out, wanted, **TOLERANCE)
    wanted = torch.from_numpy(record[f'roi_align/{i}/grad'])
    torch.testing.assert_close(grad, wanted, **TOLERANCE)


@pytest.mark.parametrize('integer', [False, True])
@pytest.mark.parametrize('i', range(len(cases.NMS_CASES)))
def test_nms_equals_recorded(record, i, integer):
    threshold, offset = cases.NMS_CASES[i]
    keep = mmcv_ext.nms(*cases.scored_boxes(i, integer), threshold, offset)
    assert keep.dtype == torch.int64
    assert keep.tolist() == record[f'nms/{i}/{int(integer)}'].tolist()


@pytest.mark.parametrize('split', [10000, 10])
def test_batched_nms_equals_recorded(record, split):
    pytest.importorskip('mmcv')
    dets, keep = cases.batched_nms(split)
    assert keep.tolist() == record[f'batched_nms/{split}/keep'].tolist()
    assert np.array_equal(dets, record[f'batched_nms/{split}/dets'])


@pytest.mark.parametrize('scale, ratio, aligned', cases.ROI_CASES)
def test_roi_align_equals_native(native, scale, ratio, aligned):
    for seed in range(5):
        args = scale, ratio, aligned, seed
        for got, wanted in zip(
            cases.roi_align(mmcv_ext, *args), cases.roi_align(native, *args)
        ):
            torch.testing.assert_close(got, wanted, **TOLERANCE)


@pytest.mark.parametrize('ties', [False, True])
@pytest.mark.parametrize('threshold, offset', cases.NMS_CASES)
def test_nms_equals_native(native, threshold, offset, ties):
    for seed in range(20):
        args = cases.scored_boxes(seed, seed % 2, ties)
        settings = dict(iou_threshold=threshold, offset=offset)
        wanted = native.nms(*args, **settings)
        assert mmcv_ext.nms(*args, **settings).tolist() == wanted.tolist()


def test_threshold_is_single_precision():
    """An overlap of 0.6 in single precision does not exceed 0.6."""
    boxes = torch.tensor([[0.0, 0, 10, 1], [0, 0, 6, 1]])
    assert len(mmcv_ext.nms(boxes, torch.tensor([1.0, 0.5]), 0.6, 0)) == 2


def test_gradient_is_added():
    x, rois = torch.ones(1, 1, 4, 4), torch.tensor([[0.0, 0, 0, 4, 4]])
    none = torch.empty(0)
    grads = [torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)]
    for grad in grads:
        mmcv_ext.roi_align_backward(
            x[..., :2, :2], rois, none, none, grad, 2, 2, 1.0, 0, 1, True
        )
    assert torch.equal(grads[0] + 1, grads[1])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_rounds_only_its_result(dtype):
    exact = cases.roi_align(mmcv_ext, 1.0, 0, True, rounded=dtype)
    half = cases.roi_align(mmcv_ext, 1.0, 0, True, 0, dtype, dtype)
    for got, wanted in zip(half, exact):
        assert torch.equal(got, wanted.to(dtype))


def test_the_cpu_adds_gradients_where_their_order_matters(monkeypatch):
    wanted = cases.roi_align(mmcv_ext, 1.0, 0, True)[1]
    asked = []
    monkeypatch.setattr(
        mmcv_ext, '_wants_order', lambda x: not asked.append(x)
    )
    assert torch.equal(cases.roi_align(mmcv_ext, 1.0, 0, True)[1], wanted)
    assert asked


@pytest.mark.parametrize('warn_only', [False, True])
def test_order_matters_on_a_gpu_that_is_to_be_deterministic(warn_only):
    x = torch.empty(1, device='meta')  # no GPU, and no CPU
    assert not mmcv_ext._wants_order(x)
    torch.use_deterministic_algorithms(True, warn_only=warn_only)
    try:
        assert mmcv_ext._wants_order(x) is not warn_only
        assert not mmcv_ext._wants_order(torch.empty(1))
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_regions_keep_their_places_in_mixed_precision(dtype):
    kind = pytest.importorskip('mmdet.models').SingleRoIExtractor
    layer = dict(type='RoIAlign', output_size=7, sampling_ratio=0)
    extractor = kind(layer, 1, [4, 8])
    ramp = torch.arange(272.0).expand(1, 1, 272, 272).to(dtype)
    maps = [ramp.requires_grad_(), torch.zeros(1, 1, 136, 136, dtype=dtype)]
    rois = torch.tensor([[0, 1001.7, 603.3, 1015.1, 633.9]])
    pooled = extractor(maps, rois)
    assert pooled.dtype == dtype and rois.dtype == torch.float32
    exact = extractor([x.detach().float() for x in maps], rois)
    assert torch.equal(pooled, exact.to(dtype))
    pooled.sum().backward()
    assert ramp.grad.dtype == dtype and ramp.grad.any()


def test_no_regions():
    ops = pytest.importorskip('mmcv.ops')
    x = torch.ones(1, 3, 5, 5, requires_grad=True)
    out = ops.roi_align(x, torch.empty(0, 5), 7)
    out.sum().backward()
    assert out.shape == (0, 3, 7, 7) and not x.grad.any()


@pytest.mark.parametrize('corner', [[5, 5, 3, 9], [float('nan')] * 4])
def test_bad_regions_are_refused(corner):
    x, rois = torch.ones(1, 1, 9, 9), torch.tensor([[0.0, *corner]])
    none = torch.empty(0)
    out = torch.empty(1, 1, 7, 7)
    with pytest.raises(ValueError, match='x2 < x1'):
        mmcv_ext.roi_align_forward(
            x, rois, out, none, none, 7, 7, 1.0, 0, 1, True
        )


def test_other_operators_name_themselves_and_the_remedy():
    message = "'deform_conv_forward'.*make setup MMCV=native"
    with pytest.raises(NotImplementedError, match=message):
        mmcv_ext.deform_conv_forward(1, stride=2)


def test_max_pooling_is_refused():
    x, rois = torch.ones(1, 1, 9, 9), torch.zeros(1, 5)
    with pytest.raises(NotImplementedError, match='pool_mode="max"'):
        mmcv_ext.roi_align_forward(x, rois, x, x, x, 7, 7, 1.0, 0, 0, True)


def test_mmcv_reports_its_environment():
    env = pytest.importorskip('mmcv.utils.env')
    assert env.collect_env()['MMCV Compiler']
