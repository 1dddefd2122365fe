"""One step of a model, and the memory that it needs."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch._dynamo import config as dynamo

from ..engine.speed import compile_for_inference
from ..errors import UserError
from ..fast.half import to_half
from ..fast.int8 import to_int8
from .complexity import input_channels
from .peers import CHANNELS_LAST, Row, build

Step = Callable[[], list[Tensor]]
MODES = ('inference', 'train')
# Ends the subject of a peer that is to have its maps so.
IN_CHANNELS_LAST = '@channels_last'


class Settings(NamedTuple):
    """What is the same for all rows; it can be sent to another process."""

    batch: int
    dtype: torch.dtype
    device: str
    threads: int
    rounds: int
    seconds: float


def tensors(outs: Any) -> list[Tensor]:
    """The floating-point tensors of what a model returns."""
    if isinstance(outs, Tensor):
        return [outs] if outs.is_floating_point() else []
    if isinstance(outs, dict):
        outs = tuple(outs.values())
    if isinstance(outs, (tuple, list)):
        return [t for out in outs for t in tensors(out)]
    return []


def make_step(row: Row, settings: Settings, mode: str) -> Step:
    """A function that does one step of a row.

    Inference: weights and input in the dtype, no gradients. Training:
    forward and backward pass without an optimiser, under autocast if the
    dtype is not float32, and of 'half' rows; gradients are dropped at the end.
    """
    device, dtype = torch.device(settings.device), settings.dtype
    training = mode == 'train'
    model = build(row, training).to(device)
    torch.manual_seed(0)  # the same for all rows
    channels = input_channels(model)
    x = torch.randn(settings.batch, channels, *row.shape).to(device)
    if not training:
        model, x = model.to(dtype), x.to(dtype)
    half = row.variant.startswith('half')
    if half and training:
        dtype = torch.bfloat16
    elif half:
        to_half(model)
    if row.variant == 'int8':
        to_int8(model)
    if row.variant == 'best':
        x = x.contiguous(memory_format=CHANNELS_LAST[x.ndim])
    if row.subject.endswith(IN_CHANNELS_LAST):
        model = cast(Any, model).to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    compiled = row.variant.endswith('compiled')
    if compiled and training:
        model.compile()
    elif compiled:
        compile_for_inference(model)
    elif row.variant == 'best':  # a graph for each block, if it must be
        dynamo.recompile_limit = 64
        compile_for_inference(model, dynamic=False)
    if not training:

        def infer() -> list[Tensor]:
            with torch.no_grad():
                return tensors(model(x))

        return infer

    low = dtype != torch.float32
    gradients: list[Tensor] = []

    def train() -> list[Tensor]:
        with torch.autocast(device.type, dtype if low else None, enabled=low):
            outs = [t for t in tensors(model(x)) if t.requires_grad]
        if not gradients:
            gradients.extend(torch.randn_like(out) for out in outs)
        torch.autograd.backward(outs, gradients)
        model.zero_grad(set_to_none=True)
        return [out.detach() for out in outs]

    return train


def first_step(row: Row, step: Step, mode: str) -> list[Tensor]:
    """Runs a step; what goes wrong is told as the row's failure."""
    try:
        return step()
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        size = 'x'.join(map(str, row.shape))
        raise UserError(
            f'{row.name}: {mode} fails with an input of {size}: '
            f'{str(error).strip().splitlines()[0] if str(error) else error!r}'
        ) from error


def step_memory(step: Step, device: torch.device) -> int | None:
    """Bytes that one step needs above what stays between steps.

    What stays is not counted: weights, input, packed copies of weights,
    libraries. GPU: by PyTorch's allocator. CPU: resident memory of this
    process (Linux; elsewhere None), so nothing else may be in it.
    """
    gc.collect()
    if device.type != 'cpu':
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    if not Path('/proc/self/clear_refs').exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes to the system
    Path('/proc/self/clear_refs').write_text('5')  # forget the old peak
    before = _resident('VmRSS')
    step()
    return _resident('VmHWM') - before


def _resident(name: str) -> int:
    lines = Path('/proc/self/status').read_text().splitlines()
    line = next(line for line in lines if line.startswith(name))
    return int(line.split()[1]) * 1024
