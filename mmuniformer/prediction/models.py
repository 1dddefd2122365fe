"""From a name, a work dir, a config or a weight file to a model."""

import copy
import os
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import find_latest_checkpoint

from ..checks.datasets import resolve
from ..engine.config import read_config
from ..engine.launch import replace_sync_bn
from ..errors import UserError
from ..weights import (
    addresses,
    doors,
    download,
    files,
    labels,
    load,
    published,
)
from ..zoo.names import CONFIGS, find_model


class Found(NamedTuple):
    """A config and the weights that belong to it."""

    cfg: Config
    checkpoint: str


def find(model: str, checkpoint: str | None = None) -> Found:
    """Finds the config and the weights that MODEL stands for.

    Args:
        model: A config, with ``checkpoint``; a work dir, with its newest
            checkpoint; a checkpoint of a training run, which holds its
            config; or the name of a published file.
        checkpoint: Weights to take instead of those that are found.

    Raises:
        UserError: There is no such thing, or a part of it is missing.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        config = _config_in(path)
        return Found(read_config(config), checkpoint or _newest(path))
    if path.suffix == '.py' and path.is_file():
        if not checkpoint:
            raise UserError(
                f'MODEL={model!r}: a config needs --checkpoint FILE'
            )
        return Found(read_config(path), checkpoint)
    if path.suffix in addresses.SUFFIXES and path.is_file():
        return Found(_config_of(path), str(path))
    if path.suffix or len(path.parts) > 1:
        raise UserError(
            f'MODEL={model!r}: no such file; wanted a config (.py), a work '
            f'dir, a checkpoint or the name of a published model'
        )
    release = find_model(model)
    config = published_config(release)
    return Found(
        read_config(config), checkpoint or addresses.place_of(release)
    )


def _config_in(folder: Path) -> Path:
    """The config that a training run has left in its work dir."""
    configs = sorted(folder.glob('*.py'), key=os.path.getmtime)
    if not configs:
        raise UserError(
            f'MODEL={str(folder)!r}: no config (.py) in this folder; wanted '
            f'the work dir of a training run'
        )
    return configs[-1]


def _newest(folder: Path) -> str:
    """The newest checkpoint of a work dir, moved or not."""
    note = folder / 'last_checkpoint'
    if note.is_file():
        latest = find_latest_checkpoint(str(folder)) or ''
        for path in (Path(latest), folder / Path(latest).name):
            if path.is_file():
                return str(path)
    found = [p for p in folder.iterdir() if p.suffix in addresses.SUFFIXES]
    if not found:
        raise UserError(
            f'MODEL={str(folder)!r}: no checkpoint in this folder; wanted '
            f'one, or --checkpoint FILE'
        )
    return str(max(found, key=os.path.getmtime))


def _config_of(path: Path) -> Config:
    """The config that mmengine writes into checkpoints, or the recipe."""
    content = load.read(str(path))
    text = content.get('meta', {}).get('cfg') if content else None
    if not isinstance(text, str):
        release = published.find(path)
        if release:
            return read_config(published_config(release))
        raise UserError(
            f'MODEL={str(path)!r}: this file holds no config; wanted a '
            f'config as MODEL and --checkpoint {path}'
        )
    if not doors.is_plain(text):
        raise UserError(
            f'MODEL={str(path)!r}: the config in this file is more than '
            f'values and was not run; wanted a config as MODEL and '
            f'--checkpoint {path}'
        )
    return Config.fromstring(text, '.py')


def published_config(release: published.Release) -> Path:
    """The recipe by which a published file was trained.

    Raises:
        UserError: The recipes are not beside this package.
    """
    path = CONFIGS / f'{release.config}.py'
    if not path.is_file():
        raise UserError(
            f'MODEL={release.name!r}: its config, {path}, is missing; is the '
            f'installation whole?'
        )
    return path


def prepare(cfg: Config) -> Config:
    """Makes a config ready to build a model for inference; in place."""
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    cfg.model.backbone.init_cfg = None  # the checkpoint holds all weights
    cfg.model.pop('pretrained', None)
    replace_sync_bn(cfg.model)
    return cfg


def build(cfg: Config, checkpoint: str, device: str) -> tuple[Any, dict]:
    """Builds a model and loads its weights.

    Args:
        cfg: Whole config, prepared.
        checkpoint: File or URL.
        device: Where to.

    Returns:
        The model in eval mode, and what its data set says of itself:
        ``classes``, ``palette`` and the like.

    Raises:
        UserError: The file is damaged or of another model.
    """
    content = load.read(checkpoint)
    model = MODELS.build(cfg.model)
    load.load_content(model, content, checkpoint, starts=False)
    order, _ = labels.head_order(
        files.unwrap(content),
        files.read_note(content),
        published.find(download.local_path(checkpoint)),
    )
    meta = dataset_meta(cfg, content, order == 'alphabetical')
    return model.to(device).eval(), meta


def dataset_meta(
    cfg: Config, content: Any = None, alphabetical: bool = False
) -> dict[str, Any]:
    """Names of classes, colours, key points: of the weights, or the config.

    Args:
        cfg: Whole config.
        content: The checkpoint; mmengine notes there what it trained on.
        alphabetical: Whether a head for Kinetics has mmaction2's order.
    """
    meta = (content or {}).get('meta', {}).get('dataset_meta')
    dataset = innermost(cfg.test_dataloader.dataset)
    scope = cfg.get('default_scope')
    kind = resolve(DATASETS, dataset['type'], scope)
    own = dataset.get('metainfo')
    own = own.to_dict() if hasattr(own, 'to_dict') else own
    known = dict(kind._load_metainfo(copy.deepcopy(own)))
    known.update(meta or {})
    head = cfg.model.get('cls_head') or {}
    if not known.get('classes') and head.get('num_classes') in labels.LISTS:
        names = labels.class_names(head['num_classes'])
        known['classes'] = sorted(names) if alphabetical else names
    return known


def innermost(dataset: Any) -> Any:
    """The data set with a pipeline inside what may be wrapped around it."""
    while 'pipeline' not in dataset:
        inner = dataset.get('dataset') or dataset.get('datasets')
        if inner is None:
            raise UserError('test_dataloader.dataset: it has no pipeline')
        dataset = inner[0] if isinstance(inner, (list, tuple)) else inner
    return dataset
