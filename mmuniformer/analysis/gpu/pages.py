"""The report as JSON and as Markdown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import report
from .items import Place, Record
from .speed import SUBJECTS
from .worker import PARTS

TITLES = dict(
    correct='Numbers',
    recipes='Toy recipes by the tools',
    suspects='Open questions',
    speed='Speed and memory, eager',
    operators='Operators',
    compiled='Speed and memory, compiled',
)


def gather(place: Place) -> dict[str, Any]:
    """All answers so far, by part and item."""
    folder = Path(place.folder)
    parts = {
        part: Record(folder / f'{part}.jsonl').answers() for part in PARTS
    }
    return dict(device=place.device, small=place.small, parts=parts)


def write(place: Place) -> dict[str, Any]:
    """Writes ``report.json`` and ``report.md``; returns the former."""
    found = gather(place)
    folder = Path(place.folder)
    (folder / 'report.json').write_text(json.dumps(found, indent=1) + '\n')
    (folder / 'report.md').write_text('\n'.join(lines(found)) + '\n')
    return found


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Lines of Markdown."""
    machine = found['parts']['correct'].get('machine', {}).get('result', {})
    known = ', '.join(f'{k} {v}' for k, v in machine.items())
    yield f'# Report of a {found["device"]} device'
    yield ''
    yield known or 'The machine is not known yet.'
    if found['small']:
        yield ''
        yield 'Small: its numbers say that the code runs, and nothing else.'
    for part in PARTS:
        answers = found['parts'][part]
        yield from ('', f'## {TITLES[part]}', '')
        if not answers:
            yield 'Nothing yet.'
        bad = {k: v for k, v in answers.items() if 'result' not in v}
        for name, answer in bad.items():
            kind = 'left out' if 'left_out' in answer else 'failed'
            reason = answer.get('left_out') or answer.get('error')
            yield f'- **{name}: {kind}.** {reason}'
        good = {k: v['result'] for k, v in answers.items() if k not in bad}
        if part in ('speed', 'compiled'):
            yield from tables(good, part == 'compiled')
        else:
            yield from sections(good)


def sections(good: dict[str, Any]) -> Iterator[str]:
    """Answers as lists, one heading for each item."""
    for name, result in good.items():
        yield from ('', f'### {name}', '')
        for key, value in result.items():
            yield f'- {key}: {text(value)}'


def text(value: Any) -> str:
    """A value for people."""
    if isinstance(value, float):
        return f'{value:.3g}'
    if isinstance(value, dict):
        return '; '.join(f'{k} {text(v)}' for k, v in value.items())
    if isinstance(value, list):
        return ', '.join(map(text, value)) or 'none'
    return str(value)


def tables(good: dict[str, Any], compiled: bool) -> Iterator[str]:
    """A table for each item of the parts that measure speed."""
    for name, result in good.items():
        yield from ('', f'### {name}', '')
        mode, rows = result['modes'][0], result['rows']
        goal = goal_of(name, mode, compiled)
        if goal:
            yield f"Aimed at: {goal} times the authors' formulation, eager.\n"
        yield from report.tables(result)
        theirs = rows[0]['memory']
        if theirs:
            parts = {r['name']: r['memory'] / theirs for r in rows[1:]}
            yield f'\nMemory in parts of the first row: {text(parts)}.'
        for label, reason in result['failed'].items():
            yield f'\n- {label}: {reason}'
    if good:
        yield from ('', report.LEGEND)


def goal_of(name: str, mode: str, compiled: bool) -> float | None:
    """The ratio that is aimed at, if any."""
    subject = SUBJECTS.get(name.partition(',')[0])
    index = 2 * (mode == 'train') + compiled
    goals = subject.goal if subject else ()
    return goals[index] if index < len(goals) else None
