"""What short keys may be, and where to look for what they change."""

from collections.abc import Iterator
from typing import Any

from ..errors import UserError

Cfg = Any  # a Config, or the dict of one
DATA = ('_dataloader', '_pipeline', '_augment', '_evaluator')


def positive_int(name: str, value: Any) -> int:
    """A count, or UserError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f'{name}={value!r}: wanted a positive int')
    return value


def positive(name: str, value: Any) -> float:
    """A positive number, or UserError."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < float('inf'):
        raise UserError(f'{name}={value!r}: wanted a positive number')
    return value


def pair(name: str, value: Any, wanted: str) -> tuple[int, int]:
    """Two counts, or UserError."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise UserError(f'{name}={value!r}: wanted {wanted}')
    first, second = (positive_int(name, side) for side in value)
    return first, second


def walk(value: Any, seen: set[int] | None = None) -> Iterator[dict[str, Any]]:
    """Every dict in a value, itself included, each once."""
    seen = set() if seen is None else seen
    if isinstance(value, (dict, list, tuple)) and id(value) not in seen:
        seen.add(id(value))
        if isinstance(value, dict):
            yield value
            value = list(value.values())
        for item in value:
            yield from walk(item, seen)


def data_parts(cfg: Cfg) -> dict[str, Any]:
    """What a config says of data: loaders, pipelines, evaluators."""
    return {
        key: value
        for key, value in cfg.items()
        if key.endswith(DATA) or key.startswith('tta_')
    }


def steps(cfg: Cfg) -> list[dict[str, Any]]:
    """Every dict in the parts about data: transforms among others."""
    return list(walk(list(data_parts(cfg).values())))


def kind(step: dict[str, Any]) -> str:
    """The type of something, without its scope."""
    name = step.get('type', '')
    name = name if isinstance(name, str) else getattr(name, '__name__', '')
    return name.rsplit('.', 1)[-1]


def nothing_to_change(name: str, value: Any, wanted: str) -> UserError:
    """The error for a key that would have no effect."""
    return UserError(f'{name}={value!r}: the config has no {wanted} to change')
