"""Part (b), compiled: both formulations by ``torch.compile``."""

from ...engine.speed import check_compiler
from . import speed
from .items import Item, Place, Result

VARIANTS = ('plain', 'plain compiled', 'compiled')


def items(place: Place) -> list[Item]:
    """The items of this part."""
    return speed.questions(place, measure, 240, all=False)


def measure(name: str, mode: str, place: Place) -> Result:
    """Rows that take turns; ratios are to the eager formulation."""
    check_compiler(place.device)
    return speed.measure(name, mode, place, variants(place))


def variants(place: Place) -> tuple[str, ...]:
    """The rows; on a CPU each compiled one takes minutes."""
    return ('plain', 'compiled') if place.small else VARIANTS
