"""Part (b): time and memory beside the authors' formulation and peers."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch

from ...errors import UserError
from .. import throughput
from ..measure import race, seconds_of
from ..peers import Row
from ..roofline import Peaks
from ..steps import (
    IN_CHANNELS_LAST,
    MODES,
    Settings,
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
        train: Whether training is measured compiled, too.
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
    run = partial(measure, variants=('plain', 'eager', 'fused'))
    return questions(place, run, 120)


def questions(
    place: Place, run: Callable[..., Result], limit: float, all: bool = True
) -> list[Item]:
    """An item for each subject and mode, those with a goal first.

    Args:
        place: Where they run.
        run: Gets a subject's name, a mode and the place.
        limit: Seconds of an item.
        all: Training of every subject, too.
    """
    found = []
    for name, subject in subjects(place).items():
        for i, mode in enumerate(MODES[: 1 + (all or subject.train)]):
            own = partial(run, name, mode)
            has_goal = len(subject.goal) > 2 * i
            found.append((not has_goal, Item(f'{name}, {mode}', own, limit)))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


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
    rounds = 1 if place.small else ROUNDS
    return Settings(batch, dtype, place.device, threads, rounds, seconds)


class Here:
    """Steps of a row in this process, for a GPU's start takes seconds."""

    def __init__(self, row: Row, settings: Settings, mode: str) -> None:
        self.row, self.device = row, torch.device(settings.device)
        self.step = make_step(row, settings, mode)
        self.outs = first_step(row, self.step, mode)

    def seconds(self, count: int) -> float:
        """Seconds per step of so many steps."""
        return seconds_of(self.step, count, self.device)


def measure(
    name: str, mode: str, place: Place, variants: tuple[str, ...]
) -> Result:
    """Rows that take turns, as of :mod:`mmuniformer.analysis.throughput`.

    Returns:
        What ``throughput.py`` writes for one mode, and why rows failed.
    """
    torch.backends.cudnn.benchmark = True
    settings = settings_of(name, mode, place)
    runners: list[Here] = []
    failed: dict[str, str] = {}
    for row in rows_of(name, mode, variants, place):
        try:
            runners.append(Here(row, settings, mode))
        except Exception as error:  # a peer's may be any
            text = ' '.join(str(error).split())[:300]
            kind = f'{type(error).__name__}: '
            failed[row.name] = kind * (type(error) is not UserError) + text
    if not runners:
        raise UserError(f'{name}, {mode}: {failed}')
    first = runners[0].row
    baseline = throughput.PLAIN if first.variant == 'plain' else first.name
    device = torch.device(place.device)
    sizes = [step_memory(runner.step, device) for runner in runners]
    peaks = Peaks(device, settings.dtype)
    times = race(runners, mode, settings, peaks, [])
    rows = [runner.row for runner in runners]
    measured = list(zip(times, sizes, [runner.outs for runner in runners]))
    unequal = dict.fromkeys(row.name for row in rows)
    results = throughput.results_of(
        rows, mode, measured, unequal, None, settings.batch
    )
    needs = throughput.needs_of(rows, settings.batch)
    for result in results:
        need = needs[result['subject'], result['shape']]
        throughput.add_shares(result, need, settings, peaks)
    return dict(
        throughput.conditions(settings, peaks), modes=[mode], rows=results,
        baseline=baseline, failed=failed,
    )  # fmt: skip
