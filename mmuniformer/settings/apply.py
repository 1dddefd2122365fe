"""Applies the short keys of a config."""

from collections.abc import Callable, Iterable
from typing import Any

from . import data, schedule, sizes
from .values import Cfg

# In the order in which they are applied.
KEYS: dict[str, Callable[[Cfg, Any], None]] = {
    'data_root': data.set_data_root,
    'num_classes': data.set_num_classes,
    'codec': sizes.set_codec,
    'input_size': sizes.set_input_size,
    'frames': data.set_frames,
    'frame_interval': data.set_frame_interval,
    'policy': data.set_policy,
    'epochs': schedule.set_epochs,
    'iters': schedule.set_iters,
    'batch_size': schedule.set_batch_size,
    'lr': schedule.set_lr,
}


def apply(cfg: Cfg, names: Iterable[str] = KEYS) -> None:
    """Applies the keys of a config and takes them out.

    Args:
        cfg: Whole config, or its dict; changed in place.
        names: Which keys to apply, if they are there.

    Raises:
        UserError: A value is wrong, or there is nothing that it changes.
    """
    wanted = set(names)
    for name in KEYS:
        if name in wanted and name in cfg:
            value = cfg.pop(name)
            if value is not None:
                apply_one(cfg, name, value)


def apply_one(cfg: Cfg, name: str, value: Any) -> None:
    """Applies one key, see :func:`apply`."""
    KEYS[name](cfg, value)
