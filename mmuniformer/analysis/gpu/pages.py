"""The report as JSON and as Markdown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
HEAD = (
    'row', 'batch', 'per second', 'ms', 'spread', 'ratio', 'memory',
    'of theirs', 'matmul', 'copy',
)  # fmt: skip
LEGEND = (
    "Ratio and memory are in parts of the first row, the authors' "
    'formulation. Rows take turns; medians over rounds. Matmul and copy: '
    'what the model must compute and move at least, in parts of the rates '
    'of a matrix product and of a copy that were measured in the same run.'
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
    if good:
        yield LEGEND
    for name, result in good.items():
        shape = 'x'.join(map(str, result['shape']))
        yield from ('', f'### {name} ({shape}, {result["dtype"]})', '')
        goal = goal_of(name, result['mode'], compiled)
        if goal:
            yield f"Aimed at: {goal} times the authors' formulation, eager.\n"
        yield _row(HEAD)
        yield _row(['---'] * len(HEAD))
        for label, row in result['rows'].items():
            yield _row(_cells(label, row, result['batch']))
        for label, reason in result['failed'].items():
            yield f'\n- {label}: {reason}'


def goal_of(name: str, mode: str, compiled: bool) -> float | None:
    """The ratio that is aimed at, if any."""
    subject = SUBJECTS.get(name.partition(',')[0])
    index = 2 * (mode == 'train') + compiled
    goals = subject.goal if subject else ()
    return goals[index] if index < len(goals) else None


def _cells(label: str, row: dict[str, Any], batch: int) -> list[str]:
    memory = row['memory']
    return [
        label,
        str(batch),
        f'{row["per_second"]:.4g}',
        f'{row["seconds"] * 1e3:.3g}',
        f'{row["spread"]:.0%}',
        f'{row["ratio"]:.2f}',
        '-' if memory is None else f'{memory / 2**20:.0f} MiB',
        '-' if row['memory_ratio'] is None else f'{row["memory_ratio"]:.2f}',
        f'{row["matmul_share"]:.1%}',
        f'{row["copy_share"]:.1%}',
    ]


def _row(cells: Any) -> str:
    return f'| {" | ".join(cells)} |'
