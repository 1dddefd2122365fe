"""Times and peak memory of models that take turns."""

import math
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from typing import Any, Protocol

import torch
from torch import Tensor

from ..engine.heap import keep_freed_memory
from ..errors import UserError
from .complexity import input_channels
from .peers import OURS, Row, build
from .roofline import Peaks, synchronize
from .steps import (
    Settings,
    Step,
    first_step,
    make_step,
    step_memory,
    tensors,
)


class Timed(Protocol):
    """Steps of a row that can be timed."""

    row: Row

    def seconds(self, count: int) -> float:
        """Seconds per step of so many steps."""


class Runner:
    """Steps of a row in a process of its own.

    There no other row's freed memory is at hand, as in real life: to get
    new memory from the system is part of the time of a step. Our rows keep
    what they free, as they do in our tools; the others run as they come.
    """

    def __init__(self, row: Row, settings: Settings, mode: str) -> None:
        context = _context()
        self.pipe, other = context.Pipe()
        args = other, row, settings, mode
        self.process = context.Process(target=_serve, args=args, daemon=True)
        self.process.start()
        other.close()
        self.row = row
        self.outs: list[Tensor] = []

    def wait(self) -> None:
        """Until the first step is done; ``outs`` is what it returned."""
        self.outs = [torch.from_numpy(out) for out in self._answer()]

    def seconds(self, count: int) -> float:
        """Seconds per step of so many steps."""
        self.pipe.send(count)
        return self._answer()

    def memory(self) -> int | None:
        """Bytes of a step, see :func:`steps.step_memory`."""
        self.pipe.send(None)
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


def _context() -> Any:
    """Starts processes as forks of one that has imported this and no more.

    It has no row's memory, and no thread or GPU was begun in it.
    """
    context = get_context('forkserver')
    context.set_forkserver_preload([__name__])
    return context


def _serve(pipe: Any, row: Row, settings: Settings, mode: str) -> None:
    device = torch.device(settings.device)
    if device.type == 'cpu':
        torch.set_num_threads(settings.threads)
    if row.variant in (*OURS, 'best'):
        keep_freed_memory()
    try:
        step = make_step(row, settings, mode)
        outs = first_step(row, step, mode)
    except UserError as error:
        pipe.send(error)
        return
    pipe.send([out.float().cpu().numpy() for out in outs])
    while True:
        count = pipe.recv()
        if count is None:
            pipe.send(step_memory(step, device))
            continue
        pipe.send(seconds_of(step, count, device))


def seconds_of(step: Step, count: int, device: torch.device) -> float:
    """Seconds per step of so many steps, behind one that is not timed."""
    step()  # the others had the caches
    synchronize(device)
    start = time.perf_counter()
    for _ in range(count):
        step()
    synchronize(device)
    return (time.perf_counter() - start) / count


def race(
    runners: Sequence[Timed],
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


def difference(row: Row, other: Row) -> float | None:
    """Greatest difference of two rows, in parts of the greatest value.

    In float64, on the CPU, for one input of reduced size; None if the outputs
    have other shapes.
    """
    limits = (320, 320) if len(row.shape) == 2 else (4, 160, 160)
    shape = tuple(map(min, row.shape, limits))
    double = torch.float64
    models = [build(r, dtype=double) for r in (row, other)]
    x = torch.randn(1, input_channels(models[0]), *shape, dtype=double)
    with torch.no_grad():
        outs = [tensors(model(x)) for model in models]
    return greatest(*outs)


def greatest(outs: list[Tensor], others: list[Tensor]) -> float | None:
    """Greatest difference of outputs, in parts of the greatest value."""
    if [t.shape for t in outs] != [t.shape for t in others]:
        return None
    return max(
        ((a - b).abs().max() / b.abs().max()).item()
        for a, b in zip(outs, others)
    )
