"""Compiles what is measured later, so that the disk has it by then."""

from functools import partial

from ..steps import first_step, make_step
from . import compiled, speed
from .items import Item, Place, Result


def items(place: Place) -> list[Item]:
    """An item for each one that is to be measured compiled."""
    found = []
    for item in compiled.items(place):
        name, mode = item.name.split(', ')
        found.append(item._replace(run=partial(warm, name, mode)))
    return found


def warm(name: str, mode: str, place: Place) -> Result:
    """Compiles the rows of an item."""
    settings = speed.settings_of(name, mode, place)
    variants = compiled.VARIANTS[1:] if not place.small else ('compiled',)
    rows = speed.rows_of(name, mode, variants, place)
    for row in rows:
        first_step(row, make_step(row, settings, mode), mode)
    return dict(rows=len(rows))
