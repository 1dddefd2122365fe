"""Numbers of README and docs that come from docs/measured/*.json.

Such a number is a link to its file; the title says where it is in there:

    [22.7](measured/speed_s.json "rows > s ours fused > per_second")
    [9.6](measured/speed_s.json "peak_bytes / 1e9")

``>`` goes into an object, or to the element of a list that has this value
(with ``&`` between several: ``s plain & train``); ``/`` and ``*`` scale. A
paragraph that says "measured" of a number without such a link says why, in a
comment in it or in front of it: ``<!-- unlinked: of the first release -->``,
or ``<!-- all unlinked: ... -->`` for a whole page.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINK = re.compile(
    r'\[([^\]\[]+)\]\(((?:docs/)?measured/[\w.-]+\.json) "([^"]+)"\)'
)
UNLINKED = re.compile(r'<!-- unlinked: .+? -->', re.S)
SAID = re.compile(r'\bmeasured\b', re.I)
NUMBER = re.compile(r'(?<![\w.-])\d+(\.\d+)?(?![\d-])')


def find(content: Any, path: str) -> float:
    """The number at a path.

    Raises:
        KeyError: There is none.
    """
    path, *scale = re.split(r' ([/*]) ', path)
    for part in path.split(' > '):
        if isinstance(content, list):
            wanted = set(part.split(' & '))
            content = next(
                (x for x in content if wanted <= set(map(str, x.values()))),
                None,
            )
            if content is None:
                raise KeyError(part)
        else:
            content = content[part]
    value = float(content)
    for sign, number in zip(scale[::2], scale[1::2]):
        value = value / float(number) if sign == '/' else value * float(number)
    return value


def as_written(value: float, text: str) -> str:
    """A number with as many decimals as ``text`` has."""
    number = NUMBER.search(text)
    decimals = len((number[0].partition('.')[2]) if number else '')
    return f'{value:.{decimals}f}'


def wrong_numbers(page: Path) -> Iterator[str]:
    """Linked numbers of a page that are not those of the file."""
    for text, file, path in LINK.findall(page.read_text(encoding='utf-8')):
        source = page.parent / file
        try:
            value = find(json.loads(source.read_text()), path)
        except (OSError, KeyError, TypeError, ValueError) as error:
            yield f'{page.name}: {file} "{path}": {error!r}'
            continue
        number = NUMBER.search(text)
        if not number or number[0] != as_written(value, text):
            yield f'{page.name}: {text!r}, but {file} "{path}" is {value}'


def unlinked_numbers(page: Path) -> Iterator[str]:
    """Blocks that call a number measured and say not where it is from."""
    text = page.read_text(encoding='utf-8')
    if '<!-- all unlinked: ' in text:
        return
    for fence in re.findall(r'```.*?```', text, re.S):
        text = text.replace(fence, '\n' * fence.count('\n'))
    line, excused = 1, False
    for block in re.split(r'(\n\s*\n)', text):
        bare = re.sub(r'`[^`]*`', '', block)
        excused = excused or bool(UNLINKED.search(block))
        says = SAID.search(bare) and NUMBER.search(bare)
        if says and not LINK.search(block) and not excused:
            yield f'{page.name}:{line}: measured, but by which command?'
        line += block.count('\n')
        if UNLINKED.sub('', block).strip():  # else: of the next block
            excused = False
