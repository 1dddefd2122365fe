"""Keeps the tables of docs/models.md.

    python -m mmuniformer.zoo.models_page

What the page says by hand stays: inputs, schedules, published FLOPs, notes.
Scores, weight files and commands come from the table of published files,
parameters and FLOPs from docs/measured/complexity*.json
(tools/analysis/complexity.py).
"""

import json
import re
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..weights.published import Release, table

ROOT = Path(__file__).resolve().parents[2]
CONFIG = re.compile(r'\| `configs/([\w/]+)\.py` \|')
# Columns that are filled in, by their heading.
SCORES = {
    'top-1': 'top1', 'box AP': 'box_AP', 'mask AP': 'mask_AP', 'mIoU': 'mIoU',
    'MS mIoU': 'ms_mIoU', 'AP': 'AP', 'AR': 'AR',
}  # fmt: skip
# Kinds of test that no recipe of their own stands for.
WINDOWS = {
    'h32': 'model.backbone.attention=hybrid model.backbone.window_size=32',
    'w32': 'model.backbone.attention=window model.backbone.window_size=32',
}
PORTS = ('uniformer-', 'top_down_uniformer_')  # converted by others


def releases() -> dict[str, Release]:
    """The authors' file of each recipe."""
    rows = table().values()
    return {r.config: r for r in rows if not r.name.startswith(PORTS)}


def measured(root: Path = ROOT) -> dict[tuple[str, str], dict[str, Any]]:
    """What complexity.py wrote, by config and kind of test ('', h32, w32).

    Raises:
        UserError: A file is missing.
    """
    found = {}
    for kind in ('', 'h32', 'w32'):
        path = root / f'docs/measured/complexity{kind and "_" + kind}.json'
        if not path.is_file():
            raise UserError(f'{str(path)!r}: no such file')
        for row in json.loads(path.read_text())['rows']:
            name = row['name'].removeprefix('configs/').removesuffix('.py')
            found[name, kind] = row
    return found


def flops(row: dict[str, Any], views: int) -> str:
    """FLOPs of all views, with as many digits as the page has."""
    value = row['flops'] * views / 1e9
    if len(row['shape']) == 3:
        return f'{value:.{2 if value < 10 else 1 if value < 50 else 0}f}G'
    return f'{value:.{2 if row["name"].startswith("configs/cls") else 1}f}G'


def command(release: Release, kind: str) -> str:
    """What tests a published file as its row says, or '-' without one."""
    if not release.url:
        return '-'
    options = f' --cfg-options {WINDOWS[kind]}' if kind else ''
    return f'`mmuniformer test {release.config} {release.name}{options}`'


def fill(line: str, heads: list[str], rows: dict[Any, Any]) -> str:
    """One row of a table, with what is known put in.

    Raises:
        UserError: There is no such published model, or no measurement.
    """
    config = CONFIG.match(line)
    assert config
    cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
    cells += [''] * (len(heads) - len(cells))
    values = dict(zip(heads, cells))
    kind = values.get('test', '')
    release = releases().get(config[1])
    row = rows.get((config[1], kind))
    if release is None or row is None:
        raise UserError(f'{config[0]}: not published, or not measured')
    if not kind:
        scores = dict(m.split('=') for m in release.metrics.split(';'))
        for head, name in SCORES.items():
            if head in values and name in scores:
                values[head] = scores[name]
    views = 1
    if 'clips x crops' in values:
        clips, crops = values['clips x crops'].split(' x ')
        views = int(clips) * int(crops)
    values['parameters'] = f'{row["parameters"] / 1e6:.2f}M'
    values['FLOPs'] = flops(row, views)
    if 'weights' in values:
        link = f'[{release.where}]({release.url})' if release.url else 'none'
        values['weights'] = f'`{release.name}` {link}'
    if 'command' in values:
        values['command'] = command(release, kind)
    return f'| {" | ".join(values.values())} |'


def page(text: str, root: Path = ROOT) -> str:
    """The page with its tables filled in."""
    rows = measured(root)
    lines, heads = [], []
    for line in text.splitlines():
        if line.startswith('| config |'):
            heads = [head.strip() for head in line.strip('| ').split('|')]
        lines.append(fill(line, heads, rows) if CONFIG.match(line) else line)
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    place = ROOT / 'docs/models.md'
    place.write_text(page(place.read_text()))
