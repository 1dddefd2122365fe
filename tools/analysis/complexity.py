#!/usr/bin/env python3
"""Parameters and FLOPs of a config: complexity.py CONFIG."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _env  # noqa: F401
from mmengine.registry import init_default_scope

from mmuniformer.analysis.complexity import (
    build_on_meta,
    check_shape,
    count_parameters,
    flops_by_part,
    published_shape,
)
from mmuniformer.engine.config import exit_with, read_config
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Print parameters and FLOPs (multiply-adds) of a config.'
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        metavar='N',
        help='size of the input: H W in pixels, for video T H W with T frames '
        '[detection: 800 1280, segmentation: 512 2048, key points and '
        'video: that of the config, one view; others: 224 224]',
    )
    return parser.parse_args()


def main():
    """Prints one line per part and the sum."""
    args = parse_args()
    try:
        cfg = read_config(args.config)
        check_shape(args.shape, cfg.model.backbone.get('ndim', 2))
        shape = tuple(args.shape or published_shape(cfg))
        init_default_scope(cfg.default_scope)
        model = build_on_meta(cfg.model)
        flops = flops_by_part(model, shape)
    except UserError as error:
        exit_with(error)
    for name, value in flops.items():
        print(f'{name:<12} {value / 1e9:10.2f} GFLOPs')
    print(
        f'{args.config}: {count_parameters(model) / 1e6:.2f}M parameters, '
        f'{sum(flops.values()) / 1e9:.1f} GFLOPs (multiply-adds, attention '
        f'included) at {"x".join(map(str, shape))}'
    )


if __name__ == '__main__':
    main()
