"""Compiles what is measured later, so that the disk has it by then."""

from ..steps import first_step, make_step
from . import compiled, speed
from .items import Item, Place, Result


def items(place: Place) -> list[Item]:
    """An item for each one that is to be measured compiled."""
    return speed.questions(place, warm, 240, all=False)


def warm(name: str, mode: str, place: Place) -> Result:
    """Compiles the rows of an item."""
    settings = speed.settings_of(name, mode, place)
    names = [v for v in compiled.variants(place) if v.endswith('compiled')]
    rows = speed.rows_of(name, mode, tuple(names), place)
    for row in rows:
        first_step(row, make_step(row, settings, mode), mode)
    return dict(rows=len(rows))
