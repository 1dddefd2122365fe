"""Results of a comparison as Markdown, JSON and a plot."""

import platform
import re
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch

from .peers import PEERS
from .provenance import cpu_name

# Of rows that are not ours.
LABELS = {
    'plain': "authors' formulation",
    'peer': 'others, as they come',
    'best': 'others, at their best',
    'mmaction': "mmaction2's",
}
LEGEND = """\
Median over rounds in which all rows took turns; spread: (greatest - least) /
median. Ratio: median over the rounds of the ratio within a round; peers refer
to the first baseline. Memory: what a step needs above weights and input.
Matmul: FLOPs of the model per second, in parts of the measured peak. Copy:
bytes that its convolutions, products and attentions must move at least
(inputs, weights and outputs once each), per second, in parts of the measured
copy; fused work may exceed it. A training step is a forward and a backward
pass without optimiser and counts as three forward passes. Difference:
greatest difference from the first row of the same weights, in parts of the
greatest value, in float64 (compiled and half: as they are timed). Top-1: as
published, not measured."""


def summary(
    times: Sequence[float], base: Sequence[float], batch: int
) -> dict[str, Any]:
    """Rate, spread and ratio from seconds per step, round by round."""
    rates = [batch / t for t in times]
    rate = median(rates)
    return dict(
        rates=rates,
        per_second=rate,
        spread=(max(rates) - min(rates)) / rate,
        ratio=median(b / t for b, t in zip(base, times)),
    )


def machine(device: str, threads: int) -> str:
    """The device in words."""
    if device == 'cpu':
        return f'{cpu_name()} ({platform.machine()}), {threads} threads'
    return torch.cuda.get_device_name(device)


def markdown(results: dict[str, Any]) -> str:
    """Tables, one per mode, and what their columns mean."""
    left_out = results.get('left_out', [])
    return '\n'.join([*tables(results), '', *left_out, LEGEND])


def tables(results: dict[str, Any]) -> list[str]:
    """Lines of tables, one per mode, under one line on the conditions."""
    by = f' by {results["peak_by"]}'
    lines = [
        f'{results["device"]}, {results["dtype"]}, torch {results["torch"]}, '
        f'batch {results["batch"]}, {results["rounds"]} rounds; measured '
        f'peaks: matrix product {results["peak_flops"] / 1e9:.0f} GFLOP/s'
        f'{by}, copy {results["peak_bytes"] / 1e9:.1f} GB/s; ratio to '
        f'{results["baseline"]}'
    ]
    for mode in results['modes']:
        rows = [row for row in results['rows'] if row['mode'] == mode]
        unit = 'clips' if len(rows[0]['shape']) == 3 else 'images'
        head = (
            'training step' if mode == 'train' else mode, 'input',
            f'{unit}/s', 'spread', 'ratio', 'memory', 'GFLOPs', 'matmul',
            'copy', 'difference', 'top-1 (published)',
        )  # fmt: skip
        lines += ['', _line(head), _line(['---'] * len(head))]
        lines += [_line(_cells(row)) for row in rows]
    return lines


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'


def _cells(row: dict[str, Any]) -> list[str]:
    top1, views = row['top1'], row['views']
    return [
        row['name'],
        'x'.join(map(str, row['shape'])),
        f'{row["per_second"]:.4g}',
        f'{row["spread"]:.0%}',
        f'{row["ratio"]:.2f}',
        _text(row['memory'] and row['memory'] / 2**20, '{:.0f} MiB'),
        _text(row['flops'] and row['flops'] / 1e9, '{:.2f}'),
        _text(row['matmul_share'], '{:.0%}'),
        _text(row['copy_share'], '{:.0%}'),
        _text(row['difference'], '{:.0e}'),
        _text(top1, '{}') + (f' ({views} views)' if views > 1 else ''),
    ]


def _text(value: Any, form: str) -> str:
    return '-' if value is None else form.format(value)


def plot(results: dict[str, Any], path: str) -> int:
    """Published accuracy against measured throughput of inference.

    Videos count as all views that the accuracy needs.

    Returns:
        How many rows were drawn: those that have an accuracy.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator

    figure, axes = pyplot.subplots(figsize=(8, 6))
    rows = [
        row
        for row in results['rows']
        if row['mode'] == 'inference' and row['top1'] is not None
    ]
    places: dict[str, Any] = {}  # each name once, at its last variant
    for kind in dict.fromkeys(row['variant'] for row in rows):
        own = sorted(
            (row['per_second'] / row['views'], row['top1'], row['subject'])
            for row in rows
            if row['variant'] == kind
        )
        label = LABELS.get(kind, f'ours, {kind}')
        style = 'o' if kind in PEERS else 'o-'  # not of one family
        axes.plot(*zip(*[r[:2] for r in own]), style, label=label)
        places.update((name, (x, y)) for x, y, name in own)
    for number, (name, place) in enumerate(
        sorted(places.items(), key=lambda one: one[1][1])
    ):  # above and below in turns: neighbours are as accurate
        axes.annotate(
            _short(name), place, fontsize=7,
            xytext=(4, (3, -9)[number % 2]), textcoords='offset points',
        )  # fmt: skip
    video = any(len(row['shape']) == 3 for row in rows)
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter('{x:g}')
    axes.xaxis.set_minor_formatter('')
    axes.margins(x=0.15)  # room for the names
    axes.set_xlabel(
        f'{"videos (all views)" if video else "images"} per second, measured '
        f'({results["device"]}, {results["dtype"]})'
    )
    axes.set_ylabel('top-1 in %, as published')
    axes.grid(alpha=0.3)
    if rows:
        axes.legend()
    figure.savefig(path, dpi=150, bbox_inches='tight')
    pyplot.close(figure)
    return len(rows)


def _short(name: str) -> str:
    """The name of a peer without its library and its training."""
    name = name.partition(':')[2] or name
    return re.split(r'_3rdparty|_\d+xb|\.', name)[0]
