"""What a report is made of: items, measured one by one, and their record."""

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

Result = dict[str, Any]


class LeftOutError(Exception):
    """An item that this machine cannot do; the message says why."""


class Place(NamedTuple):
    """Where items run.

    Attributes:
        device: 'cuda' or 'cpu'.
        small: Sizes for seconds on a CPU; the numbers mean nothing.
        folder: Of the report; items may write below it.
    """

    device: str
    small: bool
    folder: str


class Item(NamedTuple):
    """One question.

    Attributes:
        name: Unique in its part.
        run: Gives the answer, of JSON's types.
        seconds: Limit; a process that takes longer is ended.
    """

    name: str
    run: Callable[[Place], Result]
    seconds: float = 60


class Record:
    """The answers of a part, a line each, in the order of time.

    Args:
        path: File of lines; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, item: str, **fields: Any) -> None:
        """Adds a line, on the disk before this returns."""
        line = json.dumps(dict(item=item, time=time.time(), **fields))
        with self.path.open('a') as file:
            file.write(line + '\n')

    def close(self) -> None:
        """Notes that no item is left."""
        self.path.with_suffix('.whole').touch()

    def is_whole(self) -> bool:
        """Whether no item is left."""
        return self.path.with_suffix('.whole').is_file()

    def lines(self) -> Iterator[dict[str, Any]]:
        """All whole lines; a process may have died in the last one."""
        if not self.path.is_file():
            return
        for line in self.path.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def begun(self) -> dict[str, Any] | None:
        """The line of an item that began and did not end, or None.

        It has ``tries``, too: how often the item has begun.
        """
        last: dict[str, Any] | None = None
        tries: dict[str, int] = {}
        for line in self.lines():
            last = line if line.get('begun') else None
            name = line['item']
            tries[name] = tries.get(name, 0) + bool(last)
        return last and dict(last, tries=tries[last['item']])

    def answers(self) -> dict[str, dict[str, Any]]:
        """The last line of each item that was answered, or failed."""
        return {
            x['item']: x
            for x in self.lines()
            if not x.get('begun') and not x.get('interrupted')
        }


def clean(value: Any) -> Any:
    """A value for JSON: floats that are not finite become text."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    return str(value)


def autocast(place: Place, dtype: torch.dtype | None) -> torch.autocast:
    """Mixed precision on the device; in full precision without a dtype."""
    return torch.autocast(place.device, dtype, enabled=dtype is not None)


def error(found: Any, exact: Any) -> float:
    """Greatest difference, in parts of the greatest value, in float64."""
    found, exact = found.detach().double().cpu(), exact.detach().double().cpu()
    return float((found - exact).abs().max() / exact.abs().max())
