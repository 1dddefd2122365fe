"""Checks of the numbers of classes, before any long work starts."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from . import class_folders, video_lists
from .datasets import class_names, unwrapped

# Heads with one output per class of the data, where they are in models.
HEADS: tuple[str, ...] = (
    'head',
    'cls_head',
    'bbox_head',
    'mask_head',
    'decode_head',
)
HEADS += ('auxiliary_head', 'data_preprocessor', 'blending', 'augments')


def check_classes(cfg: Config, splits: tuple[str, ...]) -> None:
    """Checks that the heads have one output per class of the data.

    Otherwise a loss fails late, on a GPU without a reason, and a test gives
    wrong numbers.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.

    Raises:
        UserError: A head has more or less, or the splits differ in classes.
    """
    heads = list(_class_counts(cfg.model, 'model'))
    first: tuple[str, list[str]] | None = None
    for split in splits:
        for dataset in unwrapped(cfg.get(f'{split}_dataloader')):
            video_lists.check_classes(dataset, split, heads)
            names = class_names(dataset, cfg.get('default_scope'), split)
            classes = len(names or ())
            if names:
                first = first or (split, list(names))
                class_folders.check_same(split, list(names), *first)
            for option, count in heads:
                if names and classes != count:
                    raise UserError(
                        f'{split} data: {dataset["type"]} has {classes} '
                        f'classes, but {option}={count}; set '
                        f'{option}={classes}, or metainfo.classes of the '
                        f'dataset to the names of the {count} classes'
                    )


def _class_counts(cfg: Any, name: str) -> Iterator[tuple[str, int]]:
    """Option and value of each head's num_classes."""
    for key, value in cfg.items() if isinstance(cfg, dict) else ():
        parts = {f'{name}.{key}': value}
        if isinstance(value, (list, tuple)):
            parts = {f'{name}.{key}.{i}': v for i, v in enumerate(value)}
        for option, part in parts.items():
            if not isinstance(part, dict):
                continue
            if key in HEADS and 'num_classes' in part:
                yield f'{option}.num_classes', part['num_classes']
            yield from _class_counts(part, option)
