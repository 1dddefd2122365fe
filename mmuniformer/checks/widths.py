"""Whether what follows a UniFormer takes the channels that it gives."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS

from ..models import UniFormer
from ..models.arch import resolve_arch
from . import models
from .datasets import full_name, resolve, type_name
from .findings import Findings, debug

# Necks that take all maps of a backbone, one width each.
PYRAMIDS = ('FPN', 'PAFPN', 'ChannelMapper', 'NASFPN', 'HRFPN')
# Necks that leave the width as it is.
POOLS = ('', 'GlobalAveragePooling')
HEADS = ('head', 'cls_head', 'decode_head', 'auxiliary_head')
HOSTS = ('mmdet', 'mmseg', 'mmpose', 'mmpretrain', 'mmaction', 'mmuniformer')


def check_widths(cfg: Config, found: Findings) -> None:
    """Checks ``in_channels`` behind each UniFormer of a config.

    Without it the first step ends in shapes that cannot be multiplied.
    Necks and heads that are of no library are let pass.

    Args:
        cfg: Whole config.
        found: Gets what is wrong.
    """
    scope = cfg.get('default_scope')
    model = cfg.get('model') or {}
    holders = [('model', model)]
    holders += [(option, part) for option, _, part in models.parts(model)]
    for option, holder in holders:
        dims = _widths(holder.get('backbone'), scope)
        for place, part, wanted in _takers(option, holder, dims):
            kind = resolve(MODELS, part.get('type'), scope)
            known = isinstance(kind, type) and full_name(kind)
            given = part.get('in_channels')
            given = list(given) if isinstance(given, (list, tuple)) else given
            if known and known.partition('.')[0] in HOSTS and given != wanted:
                found.error(
                    'channels',
                    f'{place}.in_channels={given}, but the backbone gives '
                    f'{wanted}; set {place}.in_channels={wanted}',
                )


def _widths(backbone: Any, scope: str | None) -> list[int]:
    """Channels of each map that a UniFormer returns; [] of others."""
    if not isinstance(backbone, dict):
        return []
    kind = resolve(MODELS, backbone.get('type'), scope)
    if not isinstance(kind, type) or not issubclass(kind, UniFormer):
        return []
    try:
        archs = getattr(kind, 'archs')  # noqa: B009, mypy
        size = resolve_arch(
            backbone.get('arch', 's'), archs, backbone.get('head_dim')
        )
        stages = backbone.get('out_indices', 3)
        stages = [stages] if isinstance(stages, int) else stages
        return [size.embed_dims[stage] for stage in stages]
    except Exception as error:
        debug(f'backbone: {error}')  # said when it is built
        return []


def _takers(
    option: str, holder: dict[str, Any], dims: list[int]
) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Option, config and wanted channels of what takes the maps."""
    neck: Any = holder.get('neck')
    if isinstance(neck, (list, tuple)):
        neck = neck[0] if neck else None
    if not dims:
        return
    if type_name(neck) in PYRAMIDS and 'in_channels' in neck:
        yield f'{option}.neck', neck, dims
    if type_name(neck) not in POOLS:
        return
    for name in HEADS:
        heads: Any = holder.get(name)
        many = isinstance(heads, (list, tuple))
        for i, head in enumerate(heads if many else [heads]):
            if not isinstance(head, dict) or 'in_channels' not in head:
                continue
            place = f'{option}.{name}.{i}' if many else f'{option}.{name}'
            index = head.get('in_index', -1)
            several = isinstance(index, (list, tuple))
            try:
                wanted: Any = [
                    dims[i] for i in (index if several else [index])
                ]
            except (IndexError, TypeError):
                continue
            if isinstance(head['in_channels'], int) or several:
                yield place, head, wanted if several else wanted[0]
