#!/usr/bin/env python3
"""Trains any config: tools/train.py CONFIG [options]."""

import _start  # noqa: F401, first of all

import _env  # noqa: F401, isort: skip

import sys

from mmuniformer.checks import start
from mmuniformer.checks import weights as weight_checks
from mmuniformer.engine import precision
from mmuniformer.engine.config import (
    add_training_options,
    common_parser,
    exit_with,
    load_config,
)
from mmuniformer.engine.ending import run_tool
from mmuniformer.engine.launch import build_runner
from mmuniformer.engine.machine import check_work_dir
from mmuniformer.engine.speed import add_speed
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = common_parser('Train a model.')
    add_training_options(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='PATH',
        help='go on from the last checkpoint of the work dir, or from PATH',
    )
    parser.add_argument(
        '--amp',
        choices=precision.DTYPES,
        help='train in mixed precision; --amp alone is --amp fp16',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the whole batch size',
    )
    parser.add_argument(
        '--save-every',
        metavar='TIME',
        help='save a checkpoint by the clock, too: 30min, 2h',
    )
    return parser.parse_args(precision.join_option(sys.argv[1:]))


def training_config(args):
    """The config with the options of training."""
    cfg = load_config(args)
    if args.amp:
        precision.use_mixed_precision(cfg, args.amp)
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise UserError(
                '--auto-scale-lr: the config has no '
                'auto_scale_lr.base_batch_size'
            )
        cfg.auto_scale_lr.enable = True
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.save_every:
        hook = dict(type='mmuniformer.StopHook', save_every=args.save_every)
        cfg.setdefault('default_hooks', {})['stop'] = hook
    add_speed(cfg, compile=args.compile)
    return cfg


def main():
    """Checks what can go wrong, then trains."""
    args = parse_args()
    cfg = training_config(args)
    check_work_dir(cfg)
    start.check(cfg, ('train', 'val'))
    weight_checks.check_load_from(cfg)
    weight_checks.check_pretrained(cfg)
    build_runner(cfg, args.launcher).train()


if __name__ == '__main__':
    run_tool(main, exit_with)
