"""Mixed precision by one option of the command line."""

import logging
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import UserError
from .launch import is_main_process

DTYPES = {'fp16': 'float16', 'bf16': 'bfloat16'}
OPTION = '--amp'


def join_option(argv: list[str]) -> list[str]:
    """Lets ``--amp`` stand alone before any argument: it is fp16 then.

    Args:
        argv: Arguments of a command line.
    """
    joined = []
    rest = iter(argv)
    for arg in rest:
        joined.append(arg)
        if arg != OPTION:
            continue
        value = next(rest, None)
        joined[-1] = f'{OPTION}={value if value in DTYPES else "fp16"}'
        if value is not None and value not in DTYPES:
            joined += join_option([value, *rest])
    return joined


def use_mixed_precision(cfg: Config, kind: str) -> None:
    """Has a config train in mixed precision.

    In bfloat16, which has the range of single precision, the loss is not
    scaled, and what a recipe validates and tests in float16 it does in single
    precision.

    Args:
        cfg: Whole config; changed in place.
        kind: A key of ``DTYPES``.

    Raises:
        UserError: The GPU has no bfloat16.
    """
    if kind == 'bf16' and torch.cuda.is_available() and _lacks_bfloat16():
        raise UserError(
            f'{OPTION}=bf16: {torch.cuda.get_device_name()} computes no '
            f'bfloat16; wanted fp16'
        )
    wrapper = cfg.optim_wrapper
    single = wrapper.get('type', 'OptimWrapper') != 'AmpOptimWrapper'
    if single and _is_light(cfg.get('model')) and is_main_process():
        print_log(
            f'{OPTION}: this recipe of a light model is in single precision, '
            f'and its published accuracy, too; scores that rank tokens stay '
            f'in it, features do not',
            logger='current',
            level=logging.WARNING,
        )
    wrapper.type = 'AmpOptimWrapper'
    wrapper.dtype = DTYPES[kind]
    if kind == 'fp16':
        wrapper.setdefault('loss_scale', 'dynamic')
        return
    wrapper.loss_scale = 1.0
    for name in ('val_cfg', 'test_cfg'):
        loop: Any = cfg.get(name)
        if loop and loop.get('fp16'):
            loop.fp16 = False


def _lacks_bfloat16() -> bool:
    major, _ = torch.cuda.get_device_capability()
    return torch.version.hip is None and major < 8


def _is_light(model: Any) -> bool:
    """Whether a model's config has a light backbone anywhere in it."""
    if isinstance(model, (list, tuple)):
        return any(map(_is_light, model))
    if not isinstance(model, dict):
        return False
    kind = str(model.get('type', '')).rpartition('.')[2]
    return kind == 'UniFormerLight' or any(map(_is_light, model.values()))
