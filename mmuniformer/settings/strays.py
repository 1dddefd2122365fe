"""What a config changes in one place and leaves as it was in another."""

from collections.abc import Iterator
from typing import Any

from .values import Cfg


def strays(cfg: Cfg) -> list[str]:
    """Lines about parts that belong together and are not the same.

    They may be meant: a test set that is another than the validation set.
    """
    found = [
        f'val_{part} and test_{part} differ in {where}: {one!r} and '
        f'{other!r}; change both, or say data_root=DIR once'
        for part in ('dataloader', 'evaluator')
        for where, one, other in _differences(
            cfg.get(f'val_{part}'), cfg.get(f'test_{part}'), ''
        )
        if _of_data(where, part)
    ]
    for split in ('train', 'test'):
        pipeline = cfg.get(f'{split}_pipeline')
        dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset') or {}
        own = dataset.get('pipeline')
        if pipeline is not None and own is not None and pipeline != own:
            found.append(
                f'{split}_pipeline is not the pipeline of '
                f'{split}_dataloader, which is used; to change both: '
                f'{split}_dataloader = dict(dataset=dict('
                f'pipeline={split}_pipeline))'
            )
    return found


def _differences(
    one: Any, other: Any, where: str
) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            path = f'{where}.{key}' if where else key
            yield from _differences(one.get(key), other.get(key), path)
    elif one != other:
        yield where, one, other


def _of_data(where: str, part: str) -> bool:
    """Whether it is which data they read, not how many views of them."""
    if part == 'evaluator':
        return where == 'ann_file'
    return where.startswith('dataset.') and 'pipeline' not in where
