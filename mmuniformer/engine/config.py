"""Command line to config: the options that OpenMMLab users know."""

import argparse
import sys
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from ..errors import UserError
from .launch import is_main_process

# Hooks that draw predictions: options that switch them on, and the one that
# takes the folder.
DRAWING_HOOKS: dict[str, tuple[dict[str, Any], str]] = {
    'DetVisualizationHook': (dict(draw=True), 'test_out_dir'),
}


def common_parser(description: str) -> argparse.ArgumentParser:
    """The options that training and testing share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir', help='folder of logs and checkpoints [work_dirs/CONFIG]'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='change values of the config, e.g. train_cfg.max_epochs=1',
    )
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch'),
        default='none',
        help='set by the dist_*.sh and slurm_*.sh scripts',
    )
    return parser


def load_config(args: argparse.Namespace) -> Config:
    """Reads the config file and applies the common options.

    Raises:
        UserError: There is no such file, or it does not parse.
    """
    path = Path(args.config)
    if not path.is_file():
        raise UserError(f'config={args.config!r}: no such file')
    cfg = Config.fromfile(path)
    cfg.launcher = args.launcher
    cfg.merge_from_dict(args.cfg_options or {})
    if args.work_dir:
        cfg.work_dir = args.work_dir
    cfg.setdefault('work_dir', f'work_dirs/{path.stem}')
    return cfg


def draw_predictions(cfg: Config, folder: str) -> None:
    """Has the visualization hook write pictures of predictions.

    Args:
        cfg: Whole config; changed in place.
        folder: Where to write them.

    Raises:
        UserError: The config has no such hook.
    """
    hook = cfg.get('default_hooks', {}).get('visualization')
    if not hook or hook['type'] not in DRAWING_HOOKS:
        raise UserError(
            f'--show-dir={folder!r}: the config has no visualization hook of '
            f'{", ".join(DRAWING_HOOKS)}'
        )
    options, folder_option = DRAWING_HOOKS[hook['type']]
    hook.update(options)
    hook[folder_option] = str(Path(folder).resolve())


def exit_with(error: Exception) -> None:
    """Prints a user's error in one line, once, and ends the process."""
    if is_main_process():
        print(f'error: {error}', file=sys.stderr)
    sys.exit(2)
