#!/usr/bin/env python3
"""Looks at a dumped test: tools/analysis/evaluate.py CONFIG RESULTS.pkl."""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
import cv2
from mmengine.config import DictAction

from mmuniformer.analysis import charts, evaluation
from mmuniformer.engine.config import exit_with, read_config
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Which classes, which mistakes, which pictures: tables '
        'and charts of what tools/test.py --out has written.'
    )
    parser.add_argument('config')
    parser.add_argument('results', help='file of tools/test.py --out')
    parser.add_argument('--out', default='evaluation', metavar='DIR')
    parser.add_argument(
        '--worst', type=int, default=50, help='pictures to show [50]'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE'
    )
    return parser.parse_args()


def cell(value):
    """A value of a table, as text."""
    if value is None:
        return '-'
    return f'{value:.4f}' if isinstance(value, float) else str(value)


def markdown(report, pictures):
    """The whole report."""
    lines = ['# Evaluation', '', '| metric | |', '| --- | --- |']
    lines += [f'| {k} | {cell(v)} |' for k, v in report.scores.items()]
    for title, rows in report.tables.items():
        lines += ['', f'## {title}', '']
        if not rows:
            lines.append('Nothing.')
            continue
        lines.append('| ' + ' | '.join(rows[0]) + ' |')
        lines.append('| --- ' * len(rows[0]) + '|')
        lines += [
            '| ' + ' | '.join(map(cell, row.values())) + ' |' for row in rows
        ]
    for name in pictures:
        lines += ['', f'![{Path(name).stem}]({name})']
    return '\n'.join(lines) + '\n'


def main():
    """Evaluates and writes."""
    args = parse_args()
    try:
        cfg = read_config(args.config)
        cfg.merge_from_dict(args.cfg_options or {})
        samples = evaluation.load(args.results)
        report = evaluation.evaluate(cfg, samples)
    except UserError as error:
        exit_with(error)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    for name, draw in report.charts.items():
        draw(str(out / name))
        pictures.append(name)
    shown = [
        (cv2.imread(path), f'{Path(path).stem}: {why}')
        for index, why in report.worst[: args.worst]
        if (path := evaluation.image_path(samples[index]))
    ]
    if shown:
        cv2.imwrite(str(out / 'worst.png'), charts.tile(*zip(*shown)))
        pictures.append('worst.png')
    worst = [
        dict(index=index, why=why, path=samples[index].get('img_path'))
        for index, why in report.worst[: args.worst]
    ]
    content = dict(scores=report.scores, tables=report.tables, worst=worst)
    (out / 'evaluation.json').write_text(
        json.dumps(content, indent=1, default=float)
    )
    text = markdown(report, pictures)
    (out / 'evaluation.md').write_text(text)
    print(text)
    print(f'written to {out}/')


if __name__ == '__main__':
    main()
