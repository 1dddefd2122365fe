"""What checks find, collected: one line for each kind, with a count."""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmengine.logging import print_log

from ..errors import UserError


class Finding(NamedTuple):
    """Something that is wrong, or that looks like it.

    Attributes:
        kind: A name of this kind of fault, for reports.
        where: The data set or the part of the config.
        text: What is wrong with the first of its kind, and what was wanted.
        error: Whether it stops a run; else it is a warning.
        number: How many there are.
        others: Texts of others of its kind, as far as they were kept.
    """

    kind: str
    where: str
    text: str
    error: bool
    number: int
    others: tuple[str, ...] = ()

    def line(self) -> str:
        """The finding in one line."""
        more = f' ({self.number - 1} more like it)' if self.number > 1 else ''
        text = ' '.join(f'{self.text}{more}'.split())
        return f'{self.where}: {text}' if self.where else text


class Findings:
    """Collects findings; of each kind and place the first ones are kept.

    Args:
        where: Where the next findings are, until it is set anew.
        keep: How many of a kind and place are kept.
    """

    def __init__(self, where: str = '', keep: int = 1) -> None:
        self.where = where
        self.keep = keep
        self._found: dict[tuple[str, str, bool], tuple[list[str], int]] = {}

    def error(self, kind: str, text: str, count: int = 1) -> None:
        """Notes something that must not be trained or tested with."""
        self._add(kind, text, True, count)

    def warn(self, kind: str, text: str, count: int = 1) -> None:
        """Notes something that somebody should look at."""
        self._add(kind, text, False, count)

    def each(
        self,
        kind: str,
        names: Sequence[str],
        text: str,
        summary: str,
        error: bool = True,
    ) -> None:
        """Notes many of a kind: one by one where all are kept, else at once.

        Args:
            kind: The kind.
            names: What it is about; nothing is noted if there are none.
            text: What to say of each, with ``{}`` for its name.
            summary: What to say of all.
            error: Or a warning.
        """
        if names and self.keep == 1:
            self._add(kind, summary, error, 1)
        elif names:
            for name in names:
                self._add(kind, text.format(repr(name)), error, 1)

    def _add(self, kind: str, text: str, error: bool, count: int) -> None:
        key = kind, self.where, error
        texts, number = self._found.get(key, ([], 0))
        if len(texts) < self.keep and text not in texts:
            texts.append(text)
        self._found[key] = texts, number + count

    def __iter__(self) -> Iterator[Finding]:
        """Errors, then warnings, each in the order in which they came."""
        for wanted in (True, False):
            for (kind, where, error), (texts, count) in self._found.items():
                if error is wanted:
                    others = tuple(texts[1:])
                    yield Finding(kind, where, texts[0], error, count, others)

    def __len__(self) -> int:
        return len(self._found)

    def extend(self, others: 'Findings') -> None:
        """Takes over what another collection has."""
        for (kind, where, error), (texts, number) in others._found.items():
            before = self.where
            self.where = where
            for text in texts:
                self._add(kind, text, error, 1)
            if number > len(texts):
                self._add(kind, texts[0], error, number - len(texts))
            self.where = before

    def conclude(self) -> None:
        """Logs the warnings and raises the first error.

        Raises:
            UserError: There is an error.
        """
        errors = [one for one in self if one.error]
        for one in self:
            if not one.error:
                print_log(one.line(), logger='current', level=logging.WARNING)
        if errors:
            line = errors[0].line()
            if len(errors) > 1:
                kinds = ', '.join(dict.fromkeys(e.kind for e in errors[1:]))
                line += f'; {len(errors) - 1} more ({kinds}), see '
                line += 'tools/check_data.py'
            raise UserError(line)


def debug(text: str) -> None:
    """Says what was not looked at, and why."""
    print_log(text, logger='current', level=logging.DEBUG)
