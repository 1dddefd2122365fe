"""Checks of a config's files, before any long work starts."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from .. import checkpoint as files
from ..errors import UserError
from ..models.pretrained import cached_path, is_url, pretrained_cfg

# How to get each data set, by the class that reads it.
SOURCES = {
    'CocoDataset': 'COCO 2017 (https://cocodataset.org/#download): '
    'train2017/, val2017/ and annotations/ belong in data/coco/',
}
# Larger annotation files are only looked at from both ends.
FULL_CHECK_BYTES = 64 * 2**20
TIMEOUT_SECONDS = 10


def check_data(cfg: Config, splits: tuple[str, ...]) -> None:
    """Checks that the files of a data set are there and can be read.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.

    Raises:
        UserError: A file or folder is missing, or an annotation file broken.
    """
    for split in splits:
        for dataset in _datasets(cfg.get(f'{split}_dataloader')):
            root = Path(dataset.get('data_root') or '')
            if dataset.get('ann_file'):
                path = root / dataset['ann_file']
                _check_exists(path, split, dataset['type'])
                if path.suffix == '.json':
                    _check_json(path)
            for folder in (dataset.get('data_prefix') or {}).values():
                _check_exists(root / folder, split, dataset['type'])


def _datasets(loader: Any) -> Iterator[dict[str, Any]]:
    """The data sets of a loader, out of their wrappers."""
    todo = [loader['dataset']] if loader else []
    while todo:
        dataset = todo.pop()
        inner = dataset.get('datasets') or [dataset.get('dataset')]
        if inner[0] is None:
            yield dataset
        else:
            todo += inner


def _check_exists(path: Path, split: str, kind: str) -> None:
    if path.exists():
        return
    source = SOURCES.get(kind, f'the data of {kind}')
    raise UserError(
        f'{split} data: {str(path)!r} does not exist. Get {source}; or make '
        f'small stand-in data with tools/make_toyworld.py'
    )


def _check_json(path: Path) -> None:
    """Raises UserError unless ``path`` can be COCO annotations."""
    try:
        if path.stat().st_size > FULL_CHECK_BYTES:
            with open(path, 'rb') as file:
                start = file.read(64).lstrip()[:1]
                file.seek(-64, 2)
                if start != b'{' or file.read().rstrip()[-1:] != b'}':
                    raise ValueError('cut off or not JSON')
            return
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(
            f'ann_file={str(path)!r}: broken, {path.stat().st_size} bytes '
            f'({error}); wanted a JSON file, copy or download it again'
        ) from error
    for key in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or key not in content:
            raise UserError(
                f'ann_file={str(path)!r}: no {key!r} in it; wanted COCO '
                f'annotations with images, annotations and categories'
            )


def check_checkpoint(path: str | None) -> None:
    """Checks that a weight file to test or resume from can be read.

    Raises:
        UserError: It is missing or damaged.
    """
    if path and not is_url(path):
        files.unwrap(files.read(path))


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
        if not _is_toyworld(cfg):
            raise UserError(message) from error
        print_log(
            f'{message}. This is the toy world: going on WITHOUT pre-trained '
            f'weights, from random ones',
            logger='current',
            level=30,
        )
        cfg.model.backbone.init_cfg = others or None


def _is_toyworld(cfg: Config) -> bool:
    """Whether the training annotations were made by mmuniformer.toyworld."""
    for dataset in _datasets(cfg.get('train_dataloader')):
        path = Path(dataset.get('data_root') or '') / dataset['ann_file']
        with open(path, 'rb') as file:
            if b'mmuniformer toy world' not in file.read(4096):
                return False
    return True
