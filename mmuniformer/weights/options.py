"""What may be asked of the procedure that loads weights, and its checks."""

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import UserError
from . import labels, transfer

# What mmengine's own entry has and means nothing here: all is read to the CPU.
IGNORED = ('type', 'map_location')


class Options(NamedTuple):
    """What to take of a file, and what may differ.

    Attributes:
        prefix: Where the backbone is in the file; by default it is found.
        ema: Take the averaged weights of the file.
        raw: Take the raw weights of a file that has averaged ones, too.
        inflate: How image weights get a time axis, see
            :func:`mmuniformer.weights.transfer.inflate`.
        class_order: In which order the labels number the classes of
            Kinetics, a member of ``labels.ORDERS``: the head gets it. None
            leaves the head as it is in the file.
        allow_partial: Accept a file that lacks a part of the backbone or has
            more than it; or a regular expression of the names that it may
            lack, e.g. 'blocks.*gamma_[12]' for new layer scales.
        check_variant: Refuse a file of another variant, which shapes may not
            tell.
    """

    prefix: str | None = None
    ema: bool = False
    raw: bool = False
    inflate: str = 'average'
    class_order: str | None = None
    allow_partial: bool | str = False
    check_variant: bool = True


# By option: the types of its values, in words, too.
KINDS: dict[str, tuple[Any, str]] = {
    'prefix': ((str, type(None)), 'the start of names, or None'),
    'ema': (bool, 'True or False'),
    'raw': (bool, 'True or False'),
    'inflate': (str, f'one of {", ".join(transfer.INFLATE)}'),
    'class_order': ((str, type(None)), f'one of {", ".join(labels.ORDERS)}'),
    'allow_partial': ((bool, str), 'a bool, or a regular expression'),
    'check_variant': (bool, 'True or False'),
}


def checked(**options: Any) -> Options:
    """The options, each of a kind that is possible.

    Raises:
        UserError: One is unknown, or has a wrong value.
    """
    for name, value in options.items():
        if name not in KINDS:
            raise UserError(
                f'{name}={value!r}: unknown; wanted any of {", ".join(KINDS)}'
            )
        kind, wanted = KINDS[name]
        if not isinstance(value, kind):
            raise UserError(f'{name}={value!r}: wanted {wanted}')
    found = Options(**options)
    transfer.check_inflate(found.inflate)
    labels.check_order(found.class_order)
    try:
        re.compile(str(found.allow_partial))
    except re.error as error:
        raise UserError(
            f'allow_partial={found.allow_partial!r}: wanted a regular '
            f'expression ({error})'
        ) from error
    if found.prefix and not found.prefix.endswith('.'):
        found = found._replace(prefix=f'{found.prefix}.')  # as in mmengine
    return found


def pretrained_cfg(init_cfg: Any) -> tuple[dict[str, Any], list[Any]]:
    """Splits an ``init_cfg`` into the Pretrained entry and the others.

    Returns:
        Arguments of :func:`mmuniformer.weights.load.load`, empty if there is
        no such entry, and the entries that are left to mmengine.

    Raises:
        UserError: The entry names no file, or an option is wrong.
    """
    cfgs = init_cfg if isinstance(init_cfg, (list, tuple)) else [init_cfg]
    source: dict[str, Any] = {}
    others = []
    for cfg in filter(None, cfgs):
        if cfg['type'] == 'Pretrained':
            source = {k: v for k, v in cfg.items() if k not in IGNORED}
            check_source(source)
        else:
            others.append(cfg)
    return source, others


def check_source(source: Mapping[str, Any]) -> None:
    """Checks a Pretrained entry, before its file is asked for.

    Raises:
        UserError: It names no file, or an option is wrong.
    """
    path = source.get('checkpoint')
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise UserError(
            f'init_cfg: checkpoint={path!r}: wanted a path, a URL or the '
            f'name of a published file'
        )
    try:
        checked(**{k: v for k, v in source.items() if k != 'checkpoint'})
    except UserError as error:
        raise UserError(f'init_cfg: {error}') from error
