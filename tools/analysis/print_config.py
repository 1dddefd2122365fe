#!/usr/bin/env python3
"""Prints a config after inheritance: tools/analysis/print_config.py CONFIG."""

import argparse
import difflib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _env  # noqa: F401
from mmengine.config import Config, DictAction

from mmuniformer.engine.config import exit_with
from mmuniformer.errors import UserError


def parse_args():
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Print a whole config, or how it differs from another.'
    )
    parser.add_argument('config')
    parser.add_argument(
        '--diff', metavar='OTHER', help='lines of OTHER and of CONFIG'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE'
    )
    return parser.parse_args()


def read(path, options=None):
    """A config file, or a UserError."""
    if not Path(path).is_file():
        raise UserError(f'config={path!r}: no such file')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:
        raise UserError(f'config={path!r}: {error}') from error
    cfg.merge_from_dict(options or {})
    return cfg


def flat(value, path=''):
    """Values of nested dicts and lists by their paths."""
    if isinstance(value, dict) and value:
        pairs = value.items()
    elif isinstance(value, (list, tuple)) and any(
        isinstance(one, (dict, list, tuple)) for one in value
    ):
        pairs = enumerate(value)
    else:
        return {path: repr(value)}
    found = {}
    for key, inner in pairs:
        found.update(flat(inner, f'{path}.{key}' if path else str(key)))
    return found


def differences(old, new):
    """Lines ``- path = value`` and ``+ path = value``."""
    a, b = (
        [f'{path} = {value}' for path, value in flat(cfg.to_dict()).items()]
        for cfg in (old, new)
    )
    lines = difflib.unified_diff(sorted(a), sorted(b), lineterm='', n=0)
    return [line for line in lines if not line.startswith(('---', '+++', '@'))]


def main():
    """Prints."""
    args = parse_args()
    try:
        cfg = read(args.config, args.cfg_options)
        if args.diff:
            print('\n'.join(differences(read(args.diff), cfg)))
        else:
            print(cfg.pretty_text, end='')
    except UserError as error:
        exit_with(error)


if __name__ == '__main__':
    main()
