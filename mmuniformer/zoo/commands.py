"""The commands ``mmuniformer models`` and ``mmuniformer download``."""

import argparse
import json
from collections.abc import Sequence

from ..weights import addresses, download
from ..weights.published import Release, table
from .names import TASKS, find_model, list_models


def models(argv: Sequence[str]) -> None:
    """Prints a table of the published models."""
    parser = argparse.ArgumentParser(
        prog='mmuniformer models', description='List the published models.'
    )
    parser.add_argument('pattern', nargs='?', default='*', help="e.g. '*s16*'")
    parser.add_argument('--task', choices=TASKS)
    parser.add_argument(
        '--pretrained',
        action='store_true',
        help='only those with a public address that needs no browser',
    )
    parser.add_argument('--json', action='store_true', help='print JSON')
    args = parser.parse_args(argv)
    names = list_models(args.pattern, args.task, args.pretrained)
    rows = [table()[name] for name in names]
    if args.json:
        print(json.dumps([r._asdict() for r in rows], indent=1))
        return
    head = ('name', 'task', 'size', 'input', 'published', 'M', 'G', 'weights')
    lines = [head, *map(line, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for cells in lines:
        print('  '.join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())


def line(release: Release) -> tuple[str, ...]:
    """One model as the cells of a table."""
    where = 'here' if addresses.file_of(release) else release.where
    metrics = release.metrics.replace(';', ' ')
    return (
        release.name, release.task, release.arch, release.input, metrics,
        release.params, release.flops, where,
    )  # fmt: skip


def fetch(argv: Sequence[str]) -> None:
    """Downloads the weights of published models and says where they are."""
    parser = argparse.ArgumentParser(
        prog='mmuniformer download',
        description='Get the weights of published models.',
    )
    parser.add_argument('name', nargs='+', help='see mmuniformer models')
    for name in parser.parse_args(argv).name:
        print(download.fetch(find_model(name).name))
