"""The fenced blocks of README and docs, and what is said about running them.

A comment in front of a block says so: nothing, and the block is run;

    <!-- not run: what it would need -->
    <!-- tested: tests/where/test_it.py -->
    <!-- before: a command that sets the stage; not shown -->

``<!-- all: not run: ... -->`` and ``<!-- all: tested: ... -->`` are for every
block behind it on the page that has no comment of its own.
"""

import re
from pathlib import Path
from typing import NamedTuple

LANGUAGES = {'bash': 'shell', 'sh': 'shell', 'console': 'shell'}
MARK = re.compile(
    r'<!-- *(all: *)?(not run|tested|before): *(.*?) *-->', re.DOTALL
)
FENCE = re.compile(r'^( *)```([\w-]*)[^\n]*\n(.*?)^\1```', re.M | re.S)
# Words in capitals stand for something of the reader's.
PLACEHOLDER = re.compile(r'\b(?!COCO|JSON)[A-Z]{3,}[A-Z_]*\b(?!=)')


class Fence(NamedTuple):
    """A fenced block.

    Attributes:
        page: Its file.
        line: Number of its first line.
        language: 'shell', 'python', ...; '' if there is none.
        text: What is in it.
        before: Commands that set the stage.
        reason: Why it is not run, or ''.
        test: The test that runs it in its place, or ''.
    """

    page: Path
    line: int
    language: str
    text: str
    before: tuple[str, ...]
    reason: str
    test: str

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f'{self.page.name}:{self.line}'


def fences(page: Path) -> list[Fence]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding='utf-8')
    found, end = [], 0
    of_page = ('', '')
    for match in FENCE.finditer(text):
        before: list[str] = []
        own = None
        for mark in MARK.finditer(text, end, match.start()):
            everywhere, kind, what = mark.groups()
            if kind == 'before':
                before.append(what)
                continue
            pair = (what, '') if kind == 'not run' else ('', what)
            if everywhere:
                of_page = pair
            elif not text[mark.end() : match.start()].strip():
                own = pair
        end = match.end()
        language = LANGUAGES.get(match[2], match[2])
        reason, test = own or of_page
        line = text.count('\n', 0, match.start()) + 2
        body = re.sub(f'^{match[1]}', '', match[3], flags=re.M)
        found.append(
            Fence(page, line, language, body, tuple(before), reason, test)
        )
    return found


def commands(text: str) -> list[str]:
    """The commands of a shell block, a line each, without comments."""
    lines = []
    for line in re.sub(r'\\\n\s*', ' ', text).splitlines():
        line = re.sub(r'(^|\s)#.*', '', line.removeprefix('$ ')).strip()
        if line:
            lines += [part.strip() for part in line.split(' && ')]
    return lines
