"""Hooks that a config takes out, and one average of the weights, not two."""

import logging
from typing import Any

from mmengine.logging import print_log

# Those that mmengine has by itself; it takes None for them, and only them.
MMENGINE = (
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
)


def take_out(cfg: Any) -> None:
    """Takes out hooks that are None, as in ``default_hooks=dict(ema=None)``.

    Args:
        cfg: Whole config, or its dict; changed in place.
    """
    hooks = cfg.get('default_hooks') or {}
    for name in [k for k, v in hooks.items() if v is None]:
        if name not in MMENGINE:
            hooks.pop(name)


def keep_one_average(cfg: Any) -> None:
    """Has an EMAHook in custom_hooks take the place of the recipe's own.

    Two of them would exchange each other's weights.

    Args:
        cfg: Whole config, or its dict; changed in place.
    """
    hooks = cfg.get('default_hooks') or {}
    own = [
        hook
        for hook in cfg.get('custom_hooks') or ()
        if isinstance(hook, dict) and hook.get('type') == 'EMAHook'
    ]
    if own and hooks.get('ema'):
        hooks.pop('ema')
        print_log(
            'EMAHook in custom_hooks: it takes the place of the one that '
            'the recipe has in default_hooks.ema',
            logger='current',
            level=logging.WARNING,
        )
