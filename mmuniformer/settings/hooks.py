"""One average of the weights, not two."""

import logging
from typing import Any

from mmengine.logging import print_log


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
        hooks['ema'] = None
        print_log(
            'EMAHook in custom_hooks: it takes the place of the one that '
            'the recipe has in default_hooks.ema',
            logger='current',
            level=logging.WARNING,
        )
