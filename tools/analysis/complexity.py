#!/usr/bin/env python3
"""Parameters and FLOPs of configs: complexity.py CONFIG..."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _env  # noqa: F401
from mmengine.config import DictAction
from mmengine.registry import DefaultScope, init_default_scope

from mmuniformer.analysis import provenance
from mmuniformer.analysis.complexity import (
    build_on_meta,
    check_shape,
    count_parameters,
    flops_by_part,
    published_shape,
)
from mmuniformer.checks.weights import backbones
from mmuniformer.engine.config import exit_with, read_config
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Print parameters and FLOPs (multiply-adds) of configs.'
    )
    parser.add_argument('config', nargs='+', help='config file')
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        metavar='N',
        help='size of the input: H W in pixels, for video T H W with T frames '
        '[detection: 800 1280, segmentation: 512 2048, others: that of the '
        'config, of videos one view]',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change values of the configs',
    )
    parser.add_argument('--json', metavar='FILE', help='write all numbers')
    return parser.parse_args()


def measure(path, shape, options=None):
    """Parameters and FLOPs of the parts of one config."""
    cfg = read_config(path)
    cfg.merge_from_dict(options or {})
    dims = [backbone.get('ndim', 2) for backbone in backbones(cfg.model)]
    check_shape(shape, dims[0] if dims else 2)
    shape = tuple(shape or published_shape(cfg))
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        init_default_scope(cfg.default_scope)
        model = build_on_meta(cfg.model)
        flops = flops_by_part(model, shape)
    return dict(
        name=Path(path).as_posix(),
        shape=shape,
        parameters=count_parameters(model),
        flops=sum(flops.values()),
        parts=flops,
    )


def main():
    """Prints one line per part and the sum."""
    args = parse_args()
    rows = []
    try:
        for path in args.config:
            rows.append(measure(path, args.shape, args.cfg_options))
            show(rows[-1])
        if args.json:
            provenance.write(args.json, dict(rows=rows))
    except (UserError, OSError) as error:
        exit_with(error)


def show(row):
    """Prints one config."""
    for name, value in row['parts'].items():
        print(f'{name:<12} {value / 1e9:10.2f} GFLOPs')
    print(
        f'{row["name"]}: {row["parameters"] / 1e6:.2f}M parameters, '
        f'{row["flops"] / 1e9:.1f} GFLOPs (multiply-adds, attention '
        f'included) at {"x".join(map(str, row["shape"]))}'
    )


if __name__ == '__main__':
    main()
