"""Checks on the arguments of the backbones.

Each gives the value back, or raises UserError with the argument, the value
and what was wanted. A bool is no number here, nor is a string.
"""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from torch import Tensor

from .errors import UserError

ATTENTION = ('global', 'window', 'hybrid')
MAPS = {2: '(B, C, H, W)', 3: '(B, C, T, H, W)'}


def refuse(name: str, value: Any, wanted: str) -> None:
    """Raises UserError."""
    raise UserError(f'{name}={value!r}: wanted {wanted}')


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number, of Python or of NumPy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, of Python or of NumPy."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    return real and math.isfinite(value)


def is_sequence(value: Any) -> bool:
    """Whether a value is a list, a tuple, a range or the like."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    if not is_integer(value) or value < low or value > (high or value):
        top = 'or more' if high is None else f'to {high}'
        refuse(name, value, f'an int, {low} {top}')
    return int(value)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        refuse(name, value, 'True or False')
    return value


def attention(value: Any, ndim: int) -> str:
    """Kind of attention in stage 3."""
    if value not in ATTENTION:
        refuse('attention', value, f'one of {", ".join(ATTENTION)}')
    if value != 'global' and ndim != 2:
        refuse('attention', value, f"'global' with ndim={ndim}")
    return value


def drop_path_rate(value: Any) -> float:
    """Probability below 1."""
    if not is_number(value) or not 0 <= value < 1:
        refuse('drop_path_rate', value, '0 <= rate < 1')
    return float(value)


def keep_ratio(value: Any) -> float:
    """Share above 0."""
    if not is_number(value) or not 0 < value <= 1:
        refuse('keep_ratio', value, '0 < ratio <= 1')
    return float(value)


def layer_scale(value: Any) -> None:
    """Positive, 0 for no layer scales, or None for the size's own."""
    if value is not None and (not is_number(value) or value < 0):
        refuse('layer_scale_init_value', value, 'None or a number from 0 on')


def stages(out_indices: Any) -> tuple[int, ...]:
    """Ascending indices of stages, from 0."""
    found = out_indices if is_sequence(out_indices) else (out_indices,)
    inside = [i % 4 for i in found if is_integer(i) and -4 <= i < 4]
    if not inside or len(inside) < len(found) or inside != sorted({*inside}):
        refuse('out_indices', out_indices, 'ascending stages, 0 to 3')
    return tuple(inside)


def recomputed(with_cp: Any, depths: Sequence[int]) -> tuple[int, ...]:
    """How many blocks of each stage the backward pass computes again."""
    if isinstance(with_cp, bool):
        return tuple(depths) if with_cp else (0,) * 4
    if (
        not is_sequence(with_cp)
        or len(with_cp) != 4
        or not all(map(is_integer, with_cp))
        or any(not 0 <= n <= depth for n, depth in zip(with_cp, depths))
    ):
        refuse(
            'with_cp',
            with_cp,
            f'a bool or the number of blocks per stage, at most '
            f'{tuple(depths)}',
        )
    return tuple(with_cp)


def init_cfg(value: Any) -> Any:
    """None, or one or several dicts with a type."""
    for cfg in value if isinstance(value, (list, tuple)) else [value]:
        if cfg is not None and not (isinstance(cfg, dict) and 'type' in cfg):
            refuse(
                'init_cfg',
                value,
                "None or dict(type='Pretrained', checkpoint=path_or_url)",
            )
    return value


def of_rank(x: Tensor, ndim: int) -> Tensor:
    """An input of the rank of the network."""
    if x.ndim != ndim + 2:
        raise UserError(
            f'input of shape {tuple(x.shape)}: wanted {MAPS[ndim]} with '
            f'ndim={ndim}'
        )
    return x
