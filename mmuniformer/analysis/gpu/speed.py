"""Part (b): time and memory beside the authors' formulation and peers."""

import statistics
import time
from functools import partial
from typing import Any, NamedTuple

import torch

from ...errors import UserError
from ..peers import Row, build
from ..roofline import Peaks, synchronize, work
from ..steps import (
    IN_CHANNELS_LAST,
    Settings,
    Step,
    first_step,
    make_step,
    step_memory,
)
from .items import Item, Place, Result

ROUNDS = 5
DENSE = dict(dense=True, out_indices=(0, 1, 2, 3))
TIMM = (
    f'timm:convnext_tiny{IN_CHANNELS_LAST}',
    'timm:swin_tiny_patch4_window7_224',
    f'timm:efficientnet_b0{IN_CHANNELS_LAST}',
)
VIDEO = (
    'mmaction:mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb',
    'mmaction:x3d_m_16x5x1_facebook-kinetics400-rgb',
)


class Subject(NamedTuple):
    """What is measured.

    Attributes:
        backbone: Arguments of our backbone.
        shape: (H, W) or (T, H, W).
        batch: Of inference; half of it in training.
        peers: Rows beside ours; 'mmaction' has our weights.
        train: Whether training is measured, too.
        goal: Ratios that are aimed at: inference eager and compiled,
            training eager and compiled.
    """

    backbone: dict[str, Any]
    shape: tuple[int, ...]
    batch: int
    peers: tuple[str, ...] = ()
    train: bool = False
    goal: tuple[float, ...] = ()


def net(arch: str, **options: Any) -> dict[str, Any]:
    """Arguments of a backbone."""
    light = 'Light' * arch.startswith('x')
    return dict(type=f'mmuniformer.UniFormer{light}', arch=arch, **options)


SUBJECTS = {
    's 224': Subject(net('s'), (224, 224), 128, TIMM, True, (2, 3, 1.5, 2)),
    'b 224': Subject(net('b'), (224, 224), 128, (), False, (2, 3)),
    'xxs 224': Subject(net('xxs'), (224, 224), 256, (), False, (3, 4)),
    'xs 224': Subject(net('xs'), (224, 224), 256, (), False, (3, 4)),
    's video 16': Subject(
        net('s', ndim=3), (16, 224, 224), 8, ('mmaction', *VIDEO), True,
        (3, 4, 3, 4),
    ),
    's dense hybrid': Subject(
        net('s', attention='hybrid', **DENSE), (800, 1280), 2, (), False,
        (2, 3),
    ),
    's dense global': Subject(
        net('s', **DENSE), (800, 1280), 2, (), True, (3, 4)
    ),
    'b video 16': Subject(net('b', ndim=3), (16, 224, 224), 8),
    's video 32': Subject(net('s', ndim=3), (32, 224, 224), 4),
    'b video 32': Subject(net('b', ndim=3), (32, 224, 224), 4),
    'xxs video 16': Subject(net('xxs', ndim=3), (16, 160, 160), 16),
}  # fmt: skip
_TINY = dict(depths=(1, 1, 2, 1), embed_dims=(8, 16, 24, 32), head_dim=8)
SMALL = {
    's 224': Subject(
        dict(type='mmuniformer.UniFormer', arch=_TINY), (64, 64), 2, (), True
    ),
    's video 16': Subject(
        dict(type='mmuniformer.UniFormer', arch=_TINY, ndim=3), (4, 64, 64), 1
    ),
}


def subjects(place: Place) -> dict[str, Subject]:
    """What this place can measure in its time."""
    return SMALL if place.small else SUBJECTS


def items(place: Place) -> list[Item]:
    """The items of this part: eager rows."""
    found = []
    for name, subject in subjects(place).items():
        modes = ('inference', 'train')[: 1 + subject.train]
        for mode in modes:
            run = partial(measure, name, mode, ('plain', 'eager', 'fused'))
            found.append(Item(f'{name}, {mode}', run, 90))
    return found


def rows_of(
    name: str, mode: str, variants: tuple[str, ...], place: Place
) -> list[Row]:
    """The rows of an item; the first one is the authors' formulation."""
    subject = subjects(place)[name]
    rows = [
        Row(name, variant, subject.backbone, subject.shape)
        for variant in variants
        if (variant, mode) != ('fused', 'train')
    ]
    if 'eager' not in variants:
        return rows
    if mode == 'train' and subject.backbone.get('dense'):
        recomputed = dict(subject.backbone, with_cp=True)
        rows.append(Row(f'{name} with_cp', 'eager', recomputed, subject.shape))
    for peer in subject.peers:
        same = peer == 'mmaction'
        rows.append(
            Row(
                name if same else peer, peer if same else 'peer',
                subject.backbone, subject.shape,
            )
        )  # fmt: skip
    return rows


def settings_of(name: str, mode: str, place: Place) -> Settings:
    """Batch and dtype of an item."""
    batch = subjects(place)[name].batch
    if mode == 'train':
        batch = max(batch // 2, 1)
    dtype = torch.float32 if place.small else torch.bfloat16
    threads = torch.get_num_threads()
    seconds = 0.01 if place.small else 0.15
    return Settings(batch, dtype, place.device, threads, ROUNDS, seconds)


def measure(
    name: str, mode: str, variants: tuple[str, ...], place: Place
) -> Result:
    """Rows that take turns: seconds, memory, shares of the peaks."""
    torch.backends.cudnn.benchmark = True
    settings = settings_of(name, mode, place)
    device = torch.device(place.device)
    steps: dict[str, Step] = {}
    failed: dict[str, str] = {}
    rows = {r.name: r for r in rows_of(name, mode, variants, place)}
    for label, row in rows.items():
        try:
            steps[label] = make_step(row, settings, mode)
            first_step(row, steps[label], mode)
            steps[label]()
        except (UserError, ImportError, LookupError, ValueError) as error:
            steps.pop(label, None)
            failed[label] = ' '.join(str(error).split())[:300]
        except torch.OutOfMemoryError:
            steps.pop(label, None)
            failed[label] = 'out of memory'
    memory = {k: step_memory(step, device) for k, step in steps.items()}
    peaks = Peaks(device, settings.dtype)
    peaks.measure(1 if place.small else 2)
    times = take_turns(steps, settings, device)
    if not place.small:
        peaks.measure()
    result: Result = dict(
        mode=mode, batch=settings.batch, dtype=str(settings.dtype)[6:],
        shape=list(subjects(place)[name].shape), failed=failed,
        peak_flops=peaks.flops, peak_bytes=peaks.bytes, rows={},
    )  # fmt: skip
    base = next(iter(times), '')
    for label, spent in times.items():
        seconds = statistics.median(spent)
        own: Result = dict(
            seconds=seconds,
            per_second=settings.batch / seconds,
            spread=(max(spent) - min(spent)) / seconds,
            ratio=statistics.median(a / b for a, b in zip(times[base], spent)),
            memory=memory[label],
            memory_ratio=_ratio(memory[label], memory[base]),
        )
        own.update(shares(rows[label], mode, settings, seconds, peaks))
        result['rows'][label] = own
    return result


def _ratio(one: int | None, other: int | None) -> float | None:
    return one / other if one and other else None


def take_turns(
    steps: dict[str, Step], settings: Settings, device: torch.device
) -> dict[str, list[float]]:
    """Seconds per step of each row, by round; each begins with another."""

    def turn(label: str, count: int) -> float:
        synchronize(device)
        start = time.perf_counter()
        for _ in range(count):
            steps[label]()
        synchronize(device)
        return (time.perf_counter() - start) / count

    counts = {
        label: max(round(settings.seconds / turn(label, 2)), 1)
        for label in steps
    }
    times: dict[str, list[float]] = {label: [] for label in steps}
    labels = list(steps)
    for number in range(settings.rounds):
        first = number % max(len(labels), 1)
        for label in labels[first:] + labels[:first]:
            times[label].append(turn(label, counts[label]))
    return times


def shares(
    row: Row, mode: str, settings: Settings, seconds: float, peaks: Peaks
) -> Result:
    """Of the measured peaks of matrix product and copy."""
    # The authors' formulation does the same work.
    variant = 'peer' if row.variant == 'peer' else 'eager'
    model = build(row._replace(variant=variant))
    needs = work(model, row.shape, settings.batch)
    matmul, copy = peaks.shares(
        needs,
        settings.batch,
        settings.dtype.itemsize,
        seconds,
        mode == 'train',
    )
    return dict(gflops=needs[0] / 1e9, matmul_share=matmul, copy_share=copy)
