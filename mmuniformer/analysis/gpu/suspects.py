"""Part (d): what reading the code left open, answered one by one."""

import copy
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from torch import nn

from ...engine.speed import check_compiler
from ...errors import UserError
from ...fast.fusion import fuse
from ..peers import Row, build
from ..steps import make_step, tensors
from . import processes, speed
from .correct import make, slopes
from .items import Item, LeftOutError, Place, Result, autocast, error
from .operators import seconds


def items(place: Place) -> list[Item]:
    """The items of this part."""
    return [
        Item('compiler', compiler),
        Item('NCCL, one process', processes.nccl_alone, 120),
        Item('residual sums in mixed precision', residual),
        Item('regions in deterministic mode', deterministic_regions),
        Item('a backbone in deterministic mode', deterministic_backbone),
        Item('padded heads', padded_heads),
        Item('cuDNN may choose', cudnn_benchmark, 120),
        Item('AMP with the guard', guarded_amp),
    ]


def compiler(place: Place) -> Result:
    """Whether ``--compile`` can work here."""
    try:
        check_compiler(place.device)
    except UserError as reason:
        return dict(missing=str(reason))
    return dict(missing=None)


def residual(place: Place) -> Result:
    """The dtypes of the maps that stems hand on."""
    result: Result = {}
    for name in ('s video',) if place.small else ('s', 's_plus', 'xxs'):
        model, x = make(name, place)
        model, x = model.float().to(place.device), x.float().to(place.device)
        seen: list[str] = []
        for i in range(1, 5):
            getattr(model, f'patch_embed{i}').register_forward_hook(
                lambda _, __, out, seen=seen: seen.append(str(out.dtype)[6:])
            )
        with torch.no_grad(), autocast(place, torch.bfloat16):
            model(x)
        result[name] = seen
    return result


def deterministic_regions(place: Place) -> Result:
    """RoIAlign's gradient where PyTorch is to be deterministic."""
    try:
        from mmcv.ops import roi_align
    except ImportError as reason:
        raise LeftOutError(f'mmcv is wanted: {reason}') from None
    torch.manual_seed(0)
    x = torch.randn(1, 4, 20, 20, device=place.device, requires_grad=True)
    rois = torch.tensor([[0.0, 1, 1, 12, 15], [0, 0, 0, 8, 8]])
    rois = rois.to(place.device)
    grads: list[Any] = []
    for strict in (False, True, True):
        torch.use_deterministic_algorithms(strict)
        try:
            out = roi_align(x, rois, 7)
            grads += torch.autograd.grad(out.square().sum(), x)
        finally:
            torch.use_deterministic_algorithms(False)
    return dict(
        equal=bool(torch.equal(*grads[1:])), apart=error(grads[1], grads[0])
    )


def deterministic_backbone(place: Place) -> Result:
    """Gradients of two backward passes, bit by bit."""
    result: Result = {}
    for name in ('s video', 'xxs'):
        model, x = make(name, place)
        model = model.float().train().to(place.device)
        x = x.float().to(place.device)
        torch.use_deterministic_algorithms(True)
        try:
            one, other = slopes(model, x), slopes(model, x)
        finally:
            torch.use_deterministic_algorithms(False)
        result[name] = sum(not torch.equal(one[k], other[k]) for k in one)
    return dict(different=result)


def padded_heads(place: Place) -> Result:
    """XXS with heads of 28 channels, and of 32 by zeros."""
    if place.small:
        model, x = make('xxs', place)
        model = model.float()
    else:
        subject = speed.subjects(place)['xxs 224']
        model = build(Row('xxs', 'eager', subject.backbone, subject.shape))
        x = torch.randn(subject.batch, 3, *subject.shape)
    dtype = torch.float32 if place.small else torch.bfloat16
    model, x = model.to(place.device, dtype), x.to(place.device, dtype)
    fused = fuse(copy.deepcopy(model))
    padded = fuse(model, head_multiple=16 if place.small else 32)
    with torch.no_grad():
        apart = max(map(error, tensors(padded(x)), tensors(fused(x))))
        return dict(
            apart=apart,
            fused_ms=seconds(lambda: fused(x), place) * 1e3,
            padded_ms=seconds(lambda: padded(x), place) * 1e3,
        )


def cudnn_benchmark(place: Place) -> Result:
    """Training steps with and without cuDNN's search, in milliseconds.

    Each in a process of its own, which keeps what cuDNN has chosen.
    """
    result: Result = {}
    context = torch.multiprocessing.get_context('spawn')
    for name in list(speed.subjects(place))[: 1 if place.small else 5 : 4]:
        for choose in (False, True):
            with ProcessPoolExecutor(1, context) as pool:
                found = pool.submit(step_of, name, choose, place)
                result[f'{name}, {choose}'] = found.result()
    return result


def step_of(name: str, choose: bool, place: Place) -> float:
    """Milliseconds of a training step.

    Args:
        name: Of a subject of :mod:`.speed`.
        choose: Whether cuDNN measures which of its kernels is the fastest.
        place: Where to run.
    """
    torch.backends.cudnn.benchmark = choose
    subject = speed.subjects(place)[name]
    settings = speed.settings_of(name, 'train', place)
    row = Row(name, 'eager', subject.backbone, subject.shape)
    return seconds(make_step(row, settings, 'train'), place) * 1e3


def guarded_amp(place: Place) -> Result:
    """A scaler and the guard: a step that is not finite leaves no trace."""
    from mmengine.optim import AmpOptimWrapper

    from ...engine.guard import Guard, GuardedStep

    if place.device == 'cpu':
        raise LeftOutError('mixed precision of mmengine is of GPUs')
    model: nn.Module = processes.Net().cuda().train()
    result: Result = {}
    for fused in (False, True):
        adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=fused)
        wrapper: Any = AmpOptimWrapper(optimizer=adam, dtype='float16')
        wrapper.__class__ = type('Wrapper', (GuardedStep, type(wrapper)), {})
        wrapper.guard = Guard(model)
        done = []
        for number in range(6):
            x, weights = (t.cuda() for t in processes.batch())
            if number == 3:
                x[0, 0, 0, 0] = float('nan')
            with wrapper.optim_context(model):
                loss = model(x, weights)
            wrapper.update_params(loss)
            done.append(not wrapper.guard.skipped)
            wrapper.guard.skipped = False
        finite = all(
            bool(v.isfinite().all()) for v in model.state_dict().values()
        )
        result['fused' if fused else 'foreach'] = dict(
            steps_done=done,
            finite=finite,
            scale=wrapper.loss_scaler.get_scale(),
        )
    return result
