"""Checks of the weights to start from, before any long work starts."""

import urllib.request
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import UserError
from ..weights import files, published
from ..weights.pretrained import (
    cached_path,
    is_url,
    local_path,
    pretrained_cfg,
)
from .datasets import is_toyworld

TIMEOUT_SECONDS = 10


def check_checkpoint(path: str | None) -> None:
    """Checks that a weight file to test or resume from can be read.

    Raises:
        UserError: It is missing or damaged.
    """
    if path and not is_url(path):
        files.unwrap(files.read(path))


def check_load_from(cfg: Config) -> None:
    """Checks that the model that training starts or goes on from is there.

    Args:
        cfg: Whole config.

    Raises:
        UserError: The file of ``load_from`` is missing or damaged.
    """
    path = cfg.get('load_from')
    if path and not cfg.get('resume') and not is_url(path):
        if not Path(path).is_file():
            raise UserError(
                f'checkpoint={path!r}: no such file; the config starts from '
                f'these weights: train them first, or give others by '
                f'--cfg-options load_from=PATH'
            )
    check_checkpoint(path)


def check_pretrained(cfg: Config) -> None:
    """Checks that the backbone's starting weights can be had.

    On the toy world a file that cannot be downloaded is replaced by random
    weights, with a warning: a rehearsal does not need it.

    Args:
        cfg: Whole config; changed in place on the toy world.

    Raises:
        UserError: The file is missing, damaged, or cannot be downloaded.
    """
    backbone = cfg.model.get('backbone') or {}
    source, others = pretrained_cfg(backbone.get('init_cfg'))
    checkpoint = source.get('checkpoint')
    if not checkpoint or cfg.get('load_from') or cfg.get('resume'):
        return
    if not is_url(checkpoint):
        release = published.find(checkpoint)
        if release and release.url and not local_path(checkpoint).is_file():
            raise UserError(
                f'init_cfg: checkpoint={checkpoint!r}: no such file; get it '
                f'at {release.url}, or set '
                f'model.backbone.init_cfg.checkpoint to weights of your own'
            )
        check_checkpoint(checkpoint)
        return
    path = cached_path(checkpoint)
    if path.is_file():
        check_checkpoint(str(path))
        return
    try:
        request = urllib.request.Request(checkpoint, method='HEAD')
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
    except OSError as error:
        message = (
            f'init_cfg: {checkpoint} cannot be downloaded ({error}); put the '
            f'file at {path}, or set '
            f'model.backbone.init_cfg.checkpoint to its path'
        )
        if not is_toyworld(cfg):
            raise UserError(message) from error
        print_log(
            f'{message}. This is the toy world: going on WITHOUT pre-trained '
            f'weights, from random ones',
            logger='current',
            level=30,
        )
        cfg.model.backbone.init_cfg = others or None
