#!/usr/bin/env python3
"""Tests a checkpoint: tools/test.py CONFIG CHECKPOINT [options]."""

import _start  # noqa: F401, first of all

import _env  # noqa: F401, isort: skip

from mmuniformer.checks import models, start
from mmuniformer.checks import weights as weight_checks
from mmuniformer.engine.config import (
    common_parser,
    draw_in_all_processes,
    draw_predictions,
    exit_with,
    load_config,
    take_raw_weights,
)
from mmuniformer.engine.dump import dump_to
from mmuniformer.engine.ending import run_tool
from mmuniformer.engine.launch import build_runner
from mmuniformer.engine.speed import add_speed
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = common_parser('Test a model.')
    parser.add_argument('checkpoint', help='weight file of the whole model')
    parser.add_argument(
        '--raw-weights',
        action='store_true',
        help='of a file with averaged and raw weights, test the raw ones',
    )
    parser.add_argument(
        '--out', metavar='FILE.pkl', help='save the raw predictions'
    )
    parser.add_argument(
        '--show-dir', metavar='DIR', help='save pictures of the predictions'
    )
    parser.add_argument(
        '--tta', action='store_true', help='test-time augmentation'
    )
    parser.add_argument(
        '--fuse',
        action='store_true',
        help='fold norms and scales into the weights: faster, same numbers',
    )
    parser.add_argument(
        '--half',
        action='store_true',
        help='half precision: bfloat16 on a CPU that has it, float16 on a GPU',
    )
    parser.add_argument(
        '--int8',
        action='store_true',
        help='linear layers by integers of 8 bits, fused: a CPU with VNNI',
    )
    return parser.parse_args()


def test_config(args):
    """The config with the options of testing."""
    cfg = load_config(args)
    cfg.load_from, cfg.resume = args.checkpoint, False
    for _, key, part in models.parts(cfg.model):
        if key == 'backbone':
            part.init_cfg = None  # the checkpoint holds all weights
    if args.raw_weights:
        take_raw_weights(cfg)
    if args.show_dir:
        draw_predictions(cfg, args.show_dir)
    if args.out:
        if not args.out.endswith(('.pkl', '.pickle')):
            raise UserError(f'--out={args.out!r}: wanted a .pkl file')
        dump_to(cfg, args.out)
    if args.tta:
        if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
            raise UserError(
                '--tta: the config has no tta_model and tta_pipeline'
            )
        cfg.model = dict(cfg.tta_model, module=cfg.model)
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    add_speed(cfg, args.fuse, args.compile, args.half, args.int8)
    return cfg


def main():
    """Checks what can go wrong, then tests."""
    args = parse_args()
    cfg = test_config(args)
    start.check(cfg, ('test',))
    weight_checks.check_checkpoint(args.checkpoint)
    runner = build_runner(cfg, args.launcher)
    if args.show_dir:
        draw_in_all_processes(runner.visualizer)
    runner.test()


if __name__ == '__main__':
    run_tool(main, exit_with)
