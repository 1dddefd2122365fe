"""Checks of the weights to start from, before any long work starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import UserError
from ..weights import addresses, files, published
from ..weights.download import fetch, is_url, local_path
from ..weights.load import pretrained_cfg
from .datasets import is_toyworld

# What a run leaves to go on from.
CHECKPOINTS = ('last_checkpoint', 'epoch_*.pth', '*iter_*.pth', 'best_*.pth')


def check_checkpoint(checkpoint: str | None) -> None:
    """Checks that a weight file can be read; gets it if it is a URL.

    This is the time to download: there is no process group yet, whose time
    limit would run.

    Raises:
        UserError: It is missing or damaged, or cannot be downloaded.
    """
    if checkpoint:
        content = files.read(fetch(checkpoint))
        with files.named(checkpoint):
            files.unwrap(content)


def check_load_from(cfg: Config) -> None:
    """Checks that the model that training starts or goes on from is there.

    Args:
        cfg: Whole config.

    Raises:
        UserError: The file of ``load_from`` is missing or damaged.
    """
    path = cfg.get('load_from')
    if path and not cfg.get('resume') and not has_address(path):
        if not Path(path).is_file():
            raise UserError(
                f'checkpoint={path!r}: no such file; the config starts from '
                f'these weights: train them first, or give others by '
                f'--cfg-options load_from=PATH'
            )
    check_checkpoint(path)


def check_pretrained(cfg: Config) -> None:
    """Checks that the backbones' starting weights can be had, and gets them.

    They may be anywhere in the model: some detectors have one inside. Whoever
    goes on from a checkpoint does not need them. On the toy world a file that
    cannot be downloaded is replaced by random weights, with a warning: a
    rehearsal does not need it.

    Args:
        cfg: Whole config; changed in place where the weights are not needed.

    Raises:
        UserError: The file is missing, damaged, or cannot be downloaded.
    """
    for backbone in backbones(cfg.model):
        _check_backbone(cfg, backbone)


def backbones(model: Any) -> Iterator[Any]:
    """The configs of all UniFormers in that of a model."""
    if isinstance(model, dict):
        # A name, or a class in a config that imports it.
        if 'UniFormer' in str(model.get('type')):
            yield model
        model = model.values()
    elif not isinstance(model, (list, tuple)):
        return
    for part in model:
        yield from backbones(part)


def _check_backbone(cfg: Config, backbone: Any) -> None:
    source, others = pretrained_cfg(backbone.get('init_cfg'))
    checkpoint = source.get('checkpoint')
    if not checkpoint:
        return
    if has_all_weights(cfg):
        backbone.init_cfg = others or None
        return
    path = local_path(checkpoint)
    if not path.is_file() and not has_address(checkpoint):
        release = published.find(checkpoint)
        if release and release.url:
            raise UserError(
                f'init_cfg: checkpoint={checkpoint!r}: no such file; get it '
                f'at {release.url}, or set '
                f'model.backbone.init_cfg.checkpoint to weights of your own'
            )
    try:
        check_checkpoint(checkpoint)
    except UserError as error:
        if path.is_file() or not (
            has_address(checkpoint) and is_toyworld(cfg)
        ):
            raise type(error)(f'init_cfg: {error}') from error
        print_log(
            f'init_cfg: {error}. This is the toy world: going on WITHOUT '
            f'pre-trained weights, from random ones',
            logger='current',
            level=30,
        )
        backbone.init_cfg = others or None


def has_address(checkpoint: str) -> bool:
    """Whether a checkpoint is a URL or the name of a published file."""
    return is_url(checkpoint) or bool(addresses.named(checkpoint))


def has_all_weights(cfg: Config) -> bool:
    """Whether training goes on from a checkpoint of the whole backbone."""
    if cfg.get('resume') and not cfg.get('load_from'):
        # If none of them can be read, the run is refused, not begun anew.
        folder = Path(cfg.work_dir)
        return any(any(folder.glob(name)) for name in CHECKPOINTS)
    if cfg.get('resume'):
        return True
    hooks = [*cfg.get('custom_hooks', ())]
    hooks += filter(None, cfg.get('default_hooks', {}).values())
    partial = any(hook.get('allow_partial') for hook in hooks)
    return bool(cfg.get('load_from')) and not partial
