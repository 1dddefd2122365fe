"""Part (b), compiled: both formulations by ``torch.compile``."""

from functools import partial

from ...engine.speed import check_compiler
from . import speed
from .items import Item, Place, Result

VARIANTS = ('plain', 'plain compiled', 'compiled')


def items(place: Place) -> list[Item]:
    """The items of this part, those with a goal first."""
    found = []
    for name, subject in speed.subjects(place).items():
        for i, mode in enumerate(('inference', 'train')[: 1 + subject.train]):
            run = partial(measure, name, mode)
            has_goal = len(subject.goal) > 2 * i
            found.append((not has_goal, Item(f'{name}, {mode}', run, 150)))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def measure(name: str, mode: str, place: Place) -> Result:
    """Rows that take turns; ratios are to the eager formulation."""
    check_compiler(place.device)
    if place.small:  # minutes of a CPU
        return speed.measure(name, mode, ('plain', 'compiled'), place)
    return speed.measure(name, mode, VARIANTS, place)
