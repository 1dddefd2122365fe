"""Part (c): where the time of a step goes, operator by operator."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from ...engine.averaging import TogetherEMA
from ...fast.depthwise_gpu import is_ready
from ..peers import Row, build_ours
from ..roofline import Peaks, synchronize
from ..steps import make_step
from . import speed
from .items import Item, LeftOutError, Place, Result, error

# Channels and sizes of the maps of S: images, then clips of 16 frames.
Maps = tuple[tuple[int, tuple[int, ...]], ...]
IMAGES: Maps = ((64, (56,) * 2), (128, (28,) * 2), (320, (14,) * 2))
CLIPS: Maps = ((64, (8, 56, 56)), (128, (8, 28, 28)), (320, (8, 14, 14)))
# Heads, channels of each and tokens: S images, dense and video, XXS images.
ATTENTIONS = {
    's 14x14': (5, 64, 196), 's 7x7': (8, 64, 49),
    's dense global': (5, 64, 4000), 's video': (5, 64, 1568),
    'xxs 14x14': (8, 28, 99), 'xxs padded': (8, 32, 99),
    'xs 14x14': (8, 32, 99),
}  # fmt: skip


def items(place: Place) -> list[Item]:
    """The items of this part."""
    profiled = ('s 224', 's video 16')
    found = [
        Item(f'profile: {name}, {mode}', partial(time_of_kernels, name, mode))
        for name in profiled
        for mode in ('inference', 'train')
    ]
    return [
        Item('peaks', peaks),
        *found,
        *(
            Item(
                f'depth-wise convolutions of {kind}{", with search" * search}',
                partial(depthwise, maps, search),
                120,
            )
            for search in (False, True)[: 1 if place.device == 'cpu' else 2]
            for kind, maps in (('images', IMAGES), ('clips', CLIPS))
        ),
        Item('attention', attention),
        Item('optimizer', optimizer),
        Item('data to device', data_to_device),
    ]


def low(place: Place) -> torch.dtype:
    """The dtype in which operators are timed."""
    return torch.bfloat16 if place.device == 'cuda' else torch.float32


def seconds(run: Callable[[], Any], place: Place) -> float:
    """Least seconds of a call: a few rounds of many calls without a wait."""
    device = torch.device(place.device)
    run()
    synchronize(device)
    start = time.perf_counter()
    run()
    synchronize(device)
    once = max(time.perf_counter() - start, 1e-6)
    count = 1 if place.small else min(max(int(0.02 / once), 1), 200)
    best = once
    for _ in range(3 if once < 0.2 else 1):
        synchronize(device)
        start = time.perf_counter()
        for _ in range(count):
            run()
        synchronize(device)
        best = min(best, (time.perf_counter() - start) / count)
    return best


def peaks(place: Place) -> Result:
    """Best matrix product and copy, by dtype."""
    found: Result = {}
    dtypes = (torch.float32, torch.bfloat16, torch.float16)
    for dtype in dtypes[: 1 if place.small else None]:
        best = Peaks(torch.device(place.device), dtype)
        best.measure(1 if place.small else 10)
        found[str(dtype)[6:]] = dict(flops=best.flops, bytes=best.bytes)
    return found


def time_of_kernels(name: str, mode: str, place: Place) -> Result:
    """Kernels of a step by their time, as torch's profiler has them."""
    subject = speed.subjects(place)[name]
    settings = speed.settings_of(name, mode, place)
    row = Row(name, 'eager', subject.backbone, subject.shape)
    step = make_step(row, settings, mode)
    step()
    step()
    activities = [ProfilerActivity.CPU]
    if place.device == 'cuda':
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as seen:
        step()
        synchronize(torch.device(place.device))
    kind = 'cpu' if place.device == 'cpu' else 'device'
    events: list[Any] = list(seen.key_averages())
    if kind == 'device':  # kernels alone, not the operators that call them
        events = [e for e in events if 'CUDA' in str(e.device_type)] or events
    spent = {e.key: getattr(e, f'self_{kind}_time_total') for e in events}
    total = sum(spent.values())
    top = sorted(spent, key=lambda key: -spent[key])[:20]
    counts = {e.key: e.count for e in events}
    return dict(
        total_ms=total / 1e3,
        kernels=sum(counts.values()),
        top={
            key[:120]: dict(
                share=spent[key] / total if total else 0.0, calls=counts[key]
            )
            for key in top
        },
    )


def forms(
    x: Tensor, weight: Tensor, bias: Tensor
) -> Iterator[tuple[str, Callable[[Tensor, Tensor, Tensor], Tensor], Tensor]]:
    """Ways to compute a depth-wise convolution, each with its input."""
    padding = weight.shape[-1] // 2
    groups = len(weight)
    conv: Any = F.conv2d if x.ndim == 4 else F.conv3d
    layout: Any = torch.channels_last
    if x.ndim == 5:
        layout = torch.channels_last_3d

    def plain(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return conv(x, weight, bias, padding=padding, groups=groups)

    last = x.contiguous(memory_format=layout)
    yield 'channels last', plain, last
    if x.ndim == 5 and x.is_cuda and is_ready(x.device.index):
        yield 'Triton', torch.ops.mmuniformer.depthwise, last
    yield 'channels first', plain, x
    yield 'channels first and back', _there_and_back(plain, layout), last
    if x.ndim == 5:
        yield 'sum of images', sum_of_images, last


def _there_and_back(plain: Any, layout: Any) -> Any:
    def run(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        out = plain(x.contiguous(), weight, bias)
        return out.contiguous(memory_format=layout)

    return run


def sum_of_images(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A depth-wise 3D convolution as a sum of 2D ones, one per time.

    Args:
        x: Clips (B, C, T, H, W), channels-last.
        weight: (C, 1, *K), odd sides.
        bias: (C,).
    """
    b, c, total, *_ = x.shape
    times = weight.shape[2]
    out = torch.zeros_like(x)
    for place in range(times):
        shift = place - times // 2
        size = total - abs(shift)
        if size <= 0:
            continue
        part = x[:, :, max(shift, 0) : max(shift, 0) + size]
        frames = part.movedim(2, 1).flatten(0, 1)
        done = F.conv2d(
            frames, weight[:, :, place], None,
            padding=weight.shape[-1] // 2, groups=c,
        )  # fmt: skip
        done = done.unflatten(0, (b, size)).movedim(1, 2)
        first = max(-shift, 0)
        out[:, :, first : first + size] += done
    return out + bias.view(-1, *[1] * 3)


def depthwise(maps: Maps, search: bool, place: Place) -> Result:
    """Forward and both gradients, in parts of the memory's bandwidth.

    Args:
        maps: Channels and sizes.
        search: Whether cuDNN measures which of its kernels is the fastest.
        place: Where to run.
    """
    device, dtype = torch.device(place.device), low(place)
    best = Peaks(device, dtype)
    best.measure(2)
    result: Result = {}
    batch = 64 if maps is IMAGES else 8
    if place.small:
        batch, maps = 1, maps[-1:]
    torch.backends.cudnn.benchmark = search
    for (c, sizes), side in product(maps, (3, 5)):
        x = torch.randn(batch, c, *sizes, device=device, dtype=dtype)
        shape = (c, 1, *[side] * len(sizes))
        weight = torch.randn(shape, device=device, dtype=dtype)
        bias = torch.randn(c, device=device, dtype=dtype)
        exact = None
        for form, run, value in forms(x, weight, bias):
            size = 'x'.join(map(str, (c, *sizes)))
            label = f'{size} kernel {side}, {form}'
            row = timed_form(run, value, weight, bias, best.bytes, place)
            out = run(value, weight, bias)
            exact = out if exact is None else exact
            result[label] = dict(row, apart=error(out, exact))
    torch.backends.cudnn.benchmark = False
    return result


def timed_form(
    run: Any, x: Tensor, weight: Tensor, bias: Tensor,
    peak: float, place: Place,
) -> Result:  # fmt: skip
    """Seconds of a form of a convolution, and shares of the copy's rate."""
    forward = seconds(lambda: run(x, weight, bias), place)
    own = [t.detach().requires_grad_() for t in (x, weight, bias)]
    grad = torch.randn_like(x)

    def both() -> None:
        run(*own).backward(grad)
        for t in own:
            t.grad = None

    spent = seconds(both, place)
    # Read and write the map; read map and gradient, write its gradient.
    return dict(
        forward_us=forward * 1e6,
        step_us=spent * 1e6,
        forward_share=2 * x.nbytes / forward / peak,
        step_share=6 * x.nbytes / spent / peak,
    )


def attention(place: Place) -> Result:
    """Each kernel of fused attention, forward and with gradients."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    device, dtype = torch.device(place.device), low(place)
    kinds = dict(
        flash=SDPBackend.FLASH_ATTENTION,
        efficient=SDPBackend.EFFICIENT_ATTENTION,
        cudnn=SDPBackend.CUDNN_ATTENTION,
        math=SDPBackend.MATH,
    )
    if device.type == 'cpu':
        kinds = dict(flash=kinds['flash'], math=kinds['math'])
    batch = 1 if place.small else 32
    result: Result = {}
    for name, (heads, size, tokens) in ATTENTIONS.items():
        if place.small and tokens > 200:
            continue
        own = batch if tokens < 1000 else max(batch // 16, 1)
        # As in the model: queries, keys and values of one product.
        shape = own, tokens, 3, heads, size
        qkv = torch.randn(shape, device=device, dtype=dtype)
        parts: Any = qkv.permute(2, 0, 3, 1, 4).unbind()
        flops = 4 * own * heads * tokens**2 * size
        rows: Result = dict(chosen=chosen_backend(*parts))
        for kind, backend in kinds.items():
            try:
                with sdpa_kernel(backend):
                    rows[kind] = timed_attention(parts, flops, place)
            except RuntimeError as reason:
                rows[kind] = str(reason).split('.')[0][:80]
        rows['as chosen'] = timed_attention(parts, flops, place)
        result[name] = rows
    return result


def chosen_backend(query: Tensor, key: Tensor, value: Tensor) -> str:
    """The kernel that PyTorch takes for queries, keys and values."""
    from torch.nn.attention import SDPBackend

    number = torch._fused_sdp_choice(query, key, value)
    kinds: Any = SDPBackend.__members__  # of pybind11, which mypy does not see
    return {int(kind): name for name, kind in kinds.items()}[number]


def timed_attention(parts: Any, flops: int, place: Place) -> Result:
    """Times of attention, without and with the gradients of its inputs."""
    forward = seconds(partial(F.scaled_dot_product_attention, *parts), place)
    own = [part.detach().requires_grad_() for part in parts]
    grad = torch.randn_like(parts[0])

    def both() -> None:
        F.scaled_dot_product_attention(*own).backward(grad)
        for part in own:
            part.grad = None

    spent = seconds(both, place)
    return dict(
        us=forward * 1e6, tflops=flops / forward / 1e12, step_us=spent * 1e6
    )


def optimizer(place: Place) -> Result:
    """A step of AdamW, an average and the guard's sum, in each form."""
    from mmengine.model import ExponentialMovingAverage

    from ...engine.guard import total

    subject = next(iter(speed.subjects(place).values()))
    model: nn.Module = build_ours(subject.backbone).to(place.device)
    for p in model.parameters():
        p.grad = torch.randn_like(p) * 1e-3
    result: Result = dict(tensors=len(list(model.parameters())))
    for name, options in (
        ('one after another', dict(foreach=False)),
        ('foreach', dict(foreach=True)),
        ('fused', dict(fused=True)),
        ('as PyTorch chooses', {}),
    ):
        for groups in ('one group', 'a group each'):
            params: Any = list(model.parameters())
            if groups == 'a group each':
                params = [dict(params=[p]) for p in params]
            adam = torch.optim.AdamW(params, lr=0.0, **options)  # type: ignore
            spent = seconds(adam.step, place)
            result[f'AdamW, {name}, {groups}'] = spent * 1e3
    kinds = dict(together=TogetherEMA, mmengine=ExponentialMovingAverage)
    for name, kind in kinds.items():
        ema = kind(model, 1e-3, update_buffers=True)
        ema.update_parameters(model)
        spent = seconds(partial(ema.update_parameters, model), place)
        result[f'average, {name}'] = spent * 1e3
    wrapper: Any = type('Wrapper', (), dict(optimizer=adam))
    result['sum of all gradients'] = (
        seconds(lambda: total(wrapper), place) * 1e3
    )
    return result


def data_to_device(place: Place) -> Result:
    """Bytes per second of a batch of pictures on its way to the device."""
    if place.device == 'cpu':
        raise LeftOutError('there is no way to go')
    x = torch.randint(0, 255, (128, 3, 224, 224), dtype=torch.uint8)
    pinned = x.pin_memory()
    result: Result = dict(bytes=x.nbytes)
    for name, value, wait in (
        ('pageable', x, True), ('pinned', pinned, True),
        ('pinned, no wait', pinned, False),
    ):  # fmt: skip
        move = partial(value.to, 'cuda', non_blocking=not wait)
        result[name] = x.nbytes / seconds(move, place)
    result['to float, us'] = seconds(x.cuda().float, place) * 1e6
    return result
