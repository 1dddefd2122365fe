"""Times and peak memory of models that take turns."""

import ctypes
import gc
import math
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peers import Row, build
from roofline import Peaks, synchronize
from torch import Tensor

from mmuniformer.engine.speed import compile_for_inference
from mmuniformer.errors import UserError

Step = Callable[[], list[Tensor]]
MODES = ('inference', 'train')


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
    dtype is not float32; gradients are dropped at the end.
    """
    device, dtype = torch.device(settings.device), settings.dtype
    training = mode == 'train'
    model = build(row, training).to(device)
    torch.manual_seed(0)  # the same for all rows
    x = torch.randn(settings.batch, 3, *row.shape).to(device)
    if not training:
        model, x = model.to(dtype), x.to(dtype)
    if row.variant == 'compiled' and training:
        model.compile()
    elif row.variant == 'compiled':
        compile_for_inference(model)
    if not training:

        def infer() -> list[Tensor]:
            with torch.no_grad():
                return tensors(model(x))

        return infer

    low = dtype != torch.float32
    gradients: list[Tensor] = []

    def train() -> list[Tensor]:
        with torch.autocast(device.type, dtype, enabled=low):
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


class Runner:
    """Steps of a row in a process of its own.

    There no other row's freed memory is at hand, as in real life: to get
    new memory from the system is part of the time of a step.
    """

    def __init__(self, row: Row, settings: Settings, mode: str) -> None:
        context = get_context('spawn')
        self.pipe, other = context.Pipe()
        args = other, row, settings, mode
        self.process = context.Process(target=_serve, args=args, daemon=True)
        self.process.start()
        other.close()
        self.row = row

    def outputs(self) -> list[Tensor]:
        """What the first step returned."""
        return [torch.from_numpy(out) for out in self._answer()]

    def seconds(self, count: int) -> float:
        """Seconds per step of so many steps."""
        self.pipe.send(count)
        return self._answer()

    def stop(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.join()

    def _answer(self) -> Any:
        try:
            answer = self.pipe.recv()
        except EOFError:
            answer = UserError(f'{self.row.name}: killed, out of memory?')
        if isinstance(answer, UserError):
            raise answer
        return answer


def _serve(pipe: Any, row: Row, settings: Settings, mode: str) -> None:
    device = torch.device(settings.device)
    if device.type == 'cpu':
        torch.set_num_threads(settings.threads)
    try:
        step = make_step(row, settings, mode)
        outs = first_step(row, step, mode)
    except UserError as error:
        pipe.send(error)
        return
    pipe.send([out.float().cpu().numpy() for out in outs])
    while True:
        count = pipe.recv()
        step()  # the others had the caches
        synchronize(device)
        start = time.perf_counter()
        for _ in range(count):
            step()
        synchronize(device)
        pipe.send((time.perf_counter() - start) / count)


def race(
    runners: list[Runner],
    mode: str,
    settings: Settings,
    peaks: Peaks,
    done: list[tuple[int, str]],
) -> list[list[float]]:
    """Seconds per step, by row and round.

    The rows take turns; each round starts with another one. A turn lasts
    ``settings.seconds`` or one step. Peaks are measured in each round, too.

    Args:
        runners: Of the rows, warmed up.
        mode: Of ``MODES``.
        settings: Rounds and seconds.
        peaks: Peaks of the machine; updated.
        done: Gets (round, name) of each turn.
    """
    counts = [1] * len(runners)
    times: list[list[float]] = [[] for _ in runners]
    for r in range(settings.rounds + 1):  # round 0 finds the counts
        peaks.measure()
        for k in range(len(runners)):
            i = (k + r) % len(runners)
            spent = runners[i].seconds(counts[i])
            if r == 0:
                counts[i] = math.ceil(settings.seconds / spent)
                continue
            times[i].append(spent)
            done.append((r, runners[i].row.name))
        if r:
            rates = ', '.join(
                f'{runner.row.name} {settings.batch / t[-1]:.1f}'
                for runner, t in zip(runners, times)
            )
            progress(f'{mode}, round {r}/{settings.rounds}, per s: {rates}')
    return times


def progress(text: str) -> None:
    """One line for a person who waits."""
    print(text, file=sys.stderr, flush=True)


def step_memory(row: Row, settings: Settings, mode: str) -> int | None:
    """Bytes that one step needs above what stays between steps.

    What stays is not counted: weights, input, packed copies of weights,
    libraries. GPU: by PyTorch's allocator. CPU: resident memory of this
    process (Linux; elsewhere None), so call it in a process of its own.
    """
    if settings.device == 'cpu':
        torch.set_num_threads(settings.threads)
    step = make_step(row, settings, mode)
    first_step(row, step, mode)
    gc.collect()
    if settings.device != 'cpu':
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


def memory_apart(row: Row, settings: Settings, mode: str) -> int | None:
    """:func:`step_memory` in a fresh process; None if it was killed."""
    with ProcessPoolExecutor(1, get_context('spawn')) as pool:
        try:
            return pool.submit(step_memory, row, settings, mode).result()
        except BrokenProcessPool:
            return None


def difference(row: Row, other: Row) -> float | None:
    """Greatest difference of two rows, in parts of the greatest value.

    In float64, on the CPU, for one input of reduced size; None if the outputs
    have other shapes.
    """
    limits = (320, 320) if len(row.shape) == 2 else (4, 160, 160)
    shape = tuple(map(min, row.shape, limits))
    double = torch.float64
    x = torch.randn(1, 3, *shape, dtype=double)
    with torch.no_grad():
        outs = [tensors(build(r, dtype=double)(x)) for r in (row, other)]
    return greatest(*outs)


def greatest(outs: list[Tensor], others: list[Tensor]) -> float | None:
    """Greatest difference of outputs, in parts of the greatest value."""
    if [t.shape for t in outs] != [t.shape for t in others]:
        return None
    return max(
        ((a - b).abs().max() / b.abs().max()).item()
        for a, b in zip(outs, others)
    )
