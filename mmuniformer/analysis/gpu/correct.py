"""Part (a): whether the numbers on the device are right."""

import copy
import importlib
import sysconfig
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from ...engine import gradients
from ...engine.averaging import TogetherEMA
from ...fast.fusion import fuse
from ..peers import build_ours
from ..steps import tensors
from . import processes
from .items import Item, LeftOutError, Place, Result, autocast, error

DENSE = dict(dense=True, out_indices=(0, 1, 2, 3))
# Sizes small enough for float64 on a CPU in a second.
VARIANTS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    's': (dict(arch='s'), (128, 128)),
    's_plus': (dict(arch='s_plus'), (128, 128)),
    'b_ls': (dict(arch='b_ls'), (128, 128)),
    's hybrid dense': (
        dict(arch='s', attention='hybrid', window_size=7, **DENSE),
        (256, 320),
    ),
    's video': (dict(arch='s', ndim=3), (4, 112, 112)),
    'xxs': (dict(arch='xxs'), (160, 160)),
    'xs dense': (dict(arch='xs', **DENSE), (160, 192)),
    'xxs video': (dict(arch='xxs', ndim=3), (4, 112, 112)),
}
TINY = dict(depths=(1, 1, 2, 1), embed_dims=(8, 16, 24, 32), head_dim=8)


def items(place: Place) -> list[Item]:
    """The items of this part."""
    names = list(VARIANTS) if not place.small else ['s video', 'xxs']
    cases = recorded()[:: 6 if place.small else 1]
    return [
        Item('machine', machine),
        *(Item(f'precision: {n}', partial(precision, n)) for n in names),
        *(Item(f'gradients: {n}', partial(backward, n)) for n in names),
        Item('checkpointing', checkpointing),
        Item('fused and compiled', compiled, 200),
        Item('light, more than 2,048 tokens', many_tokens),
        Item('averages', averages),
        Item('regions: nms and RoIAlign', regions),
        Item('two processes: DDP and SyncBN', processes.compare, 120),
        *(Item(f'golden: {c}', partial(golden, c)) for c in cases),
    ]


def recorded() -> list[str]:
    """Names of the recorded outputs; one that says so where there are none."""
    try:
        return list(importlib.import_module('tests.models.test_parity').CASES)
    except ImportError:
        return ['none']


def machine(place: Place) -> Result:
    """What the numbers are of."""
    found: Result = dict(
        torch=torch.__version__,
        python=sysconfig.get_python_version(),
        threads=torch.get_num_threads(),
    )
    if place.device == 'cuda':
        own = torch.cuda.get_device_properties(0)
        found.update(
            device=own.name,
            memory=own.total_memory,
            capability=list(torch.cuda.get_device_capability()),
            cuda=torch.version.cuda,
            cudnn=torch.backends.cudnn.version(),
        )
    return found


def set_tf32(allowed: bool) -> None:
    """Whether float32 products and convolutions may round their factors.

    PyTorch lets cuDNN do so by default.
    """
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def make(name: str, place: Place) -> tuple[Any, Tensor]:
    """A backbone in float64 on the CPU, and an input for it.

    From then on float32 is not rounded to TF32.
    """
    set_tf32(False)
    options, shape = VARIANTS[name]
    if place.small:
        light = {'stems': ('conv', 'patch', 'patch', 'patch')}
        size = dict(TINY, **(light if 'xx' in name else {}))
        options = dict(options, arch=size)
        shape = (*shape[:-2], 64, 64)
    kind = 'UniFormerLight' if name.startswith('x') else 'UniFormer'
    model = build_ours(dict(options, type=f'mmuniformer.{kind}')).double()
    torch.manual_seed(1)
    return model.eval(), torch.randn(2, 3, *shape, dtype=torch.float64)


def golden(case: str, place: Place) -> Result:
    """Outputs of an official model in float64, as the tests record them."""
    try:
        kept = importlib.import_module('tests.golden').Golden(case)
        parity = importlib.import_module('tests.models.test_parity')
    except ImportError as reason:
        raise LeftOutError(
            f'a checkout with its tests is wanted: {reason}'
        ) from None
    model = parity.build(kept).to(place.device)
    with torch.no_grad():
        outs = tensors(model(kept.input().to(place.device)))
    pairs = zip(outs, kept.record['outputs'])
    return dict(float64=max(difference(*pair) for pair in pairs))


def difference(out: Tensor, wanted: dict[str, Any]) -> float:
    """Greatest difference from a recorded output, in parts of its size."""
    fill = importlib.import_module('tests.golden.fill')
    values = out.detach().cpu().flatten()
    places = torch.from_numpy(fill.sample_positions(values.numel()))
    recorded = torch.tensor(wanted['values'], dtype=torch.float64)
    return error(values[places], recorded)


def precision(name: str, place: Place) -> Result:
    """Errors of the dtypes against float64 on the CPU."""
    model, x = make(name, place)
    with torch.no_grad():
        exact = tensors(model(x))
        model, x = model.to(place.device), x.to(place.device)

        def worst(call: Callable[[], Any]) -> float:
            found = tensors(call())
            return max(error(a, b) for a, b in zip(found, exact))

        result = dict(float64=worst(lambda: model(x)))
        model, x = model.float(), x.float()
        result['float32'] = worst(lambda: model(x))
        if place.device == 'cuda':
            set_tf32(True)
            result['TF32'] = worst(lambda: model(x))
            set_tf32(False)
        for dtype in (torch.bfloat16, torch.float16):
            label = str(dtype).removeprefix('torch.')
            with autocast(place, dtype):
                result[f'{label} mixed'] = worst(lambda: model(x))
            low = copy.deepcopy(model).to(dtype)
            result[label] = worst(partial(low, x.to(dtype)))
    return result


def backward(name: str, place: Place) -> Result:
    """Gradients against float64 on the CPU, and how they are stored."""
    model, x = make(name, place)
    exact = slopes(model.train(), x)
    moved = copy.deepcopy(model).to(place.device)
    found = slopes(moved, x.to(place.device))
    result: Result = dict(
        float64=max(map(error, found.values(), exact.values()))
    )
    single, x = moved.float(), x.float().to(place.device)
    for dtype in (None, torch.bfloat16, torch.float16):
        with autocast(place, dtype):
            found = slopes(single, x)
        norms = {n: float(g.double().norm()) for n, g in found.items()}
        label = str(dtype or 'float32').removeprefix('torch.')
        result[label] = max(
            abs(norms[n] - float(exact[n].norm())) / float(exact[n].norm())
            for n in exact
        )
    plain = strange(single)
    gradients.keep_strides(single)
    slopes(single, x)
    return dict(
        result, strides_without_hook=len(plain), strides=len(strange(single))
    )


def slopes(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Gradients by name of one random loss of all outputs.

    Not of their squares, whose mean a BatchNorm keeps as it is.
    """
    model.zero_grad()
    outs = tensors(model(x))
    torch.manual_seed(2)
    loss = sum(
        (out.to(x.dtype) * torch.randn(out.shape).to(x)).mean() for out in outs
    )
    cast(Any, loss).backward()
    # A bias before a BatchNorm has none but rounding.
    return {
        n: p.grad.detach().clone()
        for n, p in model.named_parameters()
        if p.grad is not None and p.ndim > 1
    }


def strange(model: nn.Module) -> list[str]:
    """Weights whose gradients have other strides."""
    return [
        name
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.stride() != p.stride()
    ]


def checkpointing(place: Place) -> Result:
    """Gradients with recomputation against those without."""
    model, x = make('s video', place)
    model, x = model.float().train().to(place.device), x.float()
    x = x.to(place.device)
    result: Result = {}
    for dtype in (None, torch.bfloat16, torch.float16):
        with autocast(place, dtype):
            model.set_grad_checkpointing(False)
            exact = slopes(model, x)
            model.set_grad_checkpointing(True)
            found = slopes(model, x)
        label = str(dtype or 'float32').removeprefix('torch.')
        result[label] = max(map(error, found.values(), exact.values()))
    return result


def compiled(place: Place) -> Result:
    """Fused and compiled models against eager ones, float32."""
    from ...engine.speed import check_compiler, compile_for_inference

    check_compiler(place.device)
    model, x = make('xxs', place)
    model, x = model.float().to(place.device), x.float().to(place.device)
    with torch.no_grad():
        exact = tensors(model(x))
        fused = fuse(copy.deepcopy(model))
        padded = fuse(copy.deepcopy(model), head_multiple=16)
        result = dict(
            fused=max(map(error, tensors(fused(x)), exact)),
            padded_heads=max(map(error, tensors(padded(x)), exact)),
        )
        compile_for_inference(fused)
        result['compiled'] = max(map(error, tensors(fused(x)), exact))
    return result


def many_tokens(place: Place) -> Result:
    """A light model whose token numbers half precision could not hold."""
    model, _ = make('xs dense', place)
    side = 256 if place.small else 1024
    torch.manual_seed(3)
    x = torch.randn(1, 3, side, side).to(place.device)
    model = model.float().to(place.device)
    result: Result = dict(tokens=(side // 16) ** 2)
    with torch.no_grad():
        exact = tensors(model(x))
        for dtype in (torch.bfloat16, torch.float16):
            low = copy.deepcopy(model).to(dtype)
            outs = tensors(low(x.to(dtype)))
            # Other tokens may be kept; few, if their numbers are right.
            label = str(dtype).removeprefix('torch.')
            result[label] = max(map(root_mean_square, outs, exact))
    return result


def root_mean_square(found: Tensor, exact: Tensor) -> float:
    """Root mean square of a difference, in parts of that of the values."""
    found, exact = found.double(), exact.double()
    return float((found - exact).norm() / exact.norm())


def averages(place: Place) -> Result:
    """All tensors averaged together against one after another."""
    from mmengine.model import ExponentialMovingAverage

    model, _ = make('xxs', place)
    model = model.float().to(place.device)
    kinds = TogetherEMA, ExponentialMovingAverage
    ours, theirs = (k(model, 0.1, update_buffers=True) for k in kinds)
    for _ in range(3):
        for one in (ours, theirs):
            one.update_parameters(model)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.1)
    pairs = zip(ours.state_dict().values(), theirs.state_dict().values())
    return dict(different=sum(not torch.equal(a, b) for a, b in pairs))


def regions(place: Place) -> Result:
    """The operators of detection on the device against those on the CPU."""
    try:
        import torchvision
        from mmcv.ops import nms, roi_align
        from mmdet.models import SingleRoIExtractor
    except ImportError as reason:
        raise LeftOutError(f'mmdet is wanted: {reason}') from None
    ext = importlib.import_module('mmcv._ext')
    torch.manual_seed(4)
    maps = torch.randn(1, 8, 100, 168)
    corners = torch.rand(200, 2) * 600
    boxes = torch.cat([corners, corners + 8 + torch.rand(200, 2) * 300], 1)
    rois = torch.cat([torch.zeros(200, 1), boxes], 1)
    scores = torch.rand(200)
    device = place.device
    pooled = roi_align(maps.to(device), rois.to(device), 7, 0.125)
    kept = nms(boxes.to(device), scores.to(device), 0.5)[1]
    exact = roi_align(maps, rois, 7, 0.125)
    theirs = torchvision.ops.roi_align(
        maps.to(device), rois.to(device), 7, 0.125, aligned=True
    )
    layer = dict(type='RoIAlign', output_size=7, sampling_ratio=0)
    extractor = SingleRoIExtractor(layer, 8, [8])
    low = maps.bfloat16()
    half = extractor((low.to(device),), rois.to(device))
    wanted = extractor((low.float(),), rois)
    return dict(
        operators='torchvision' if 'mmuniformer' in ext.__name__ else 'mmcv',
        roi_align=error(pooled, exact),
        from_torchvision=error(theirs, exact),
        nms_equal=kept.tolist() == nms(boxes, scores, 0.5)[1].tolist(),
        bfloat16_regions=error(half, wanted),
    )
