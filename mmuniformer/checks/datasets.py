"""What a config says of its data sets."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.registry import DATASETS, Registry

from .findings import debug

# Methods that decide what is read from files: a check is for the class that
# defines them, and for those that inherit them.
READS = ('load_data_list', '_load_annotations', 'parse_data_info')


class Source(NamedTuple):
    """A data set of a config.

    Attributes:
        cfg: Its config.
        split: 'train', 'val' or 'test'.
        scope: Whose registry its type is looked up in.
        kind: Its class, or None where nobody knows it.
        wrappers: Configs of the data sets around it, from the inside.
    """

    cfg: dict[str, Any]
    split: str
    scope: str | None
    kind: type | None
    wrappers: tuple[dict[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """Name of the class, as in the config."""
        kind = self.cfg['type']
        return kind if isinstance(kind, str) else kind.__name__

    def owner(self, method: str = 'load_data_list') -> str:
        """The class that defines a method, as 'mmdet.CocoDataset'."""
        for kind in getattr(self.kind, '__mro__', ()):
            if method in vars(kind):
                return full_name(kind)
        return ''

    def is_a(self, *names: str) -> bool:
        """Whether the class is one of these, or is derived from one."""
        mro = getattr(self.kind, '__mro__', ())
        return any(full_name(kind) in names for kind in mro)

    def path(self, name: str | Path) -> str:
        """A path as mmengine joins it: below ``data_root``."""
        root = str(self.cfg.get('data_root') or '')
        name = str(name or '')
        if self.is_a('mmpretrain.BaseDataset'):
            root, name = map(os.path.expanduser, (root, name))
        if not root or is_remote(name) or Path(name).is_absolute():
            return name
        return (
            f'{root.rstrip("/")}/{name}'
            if is_remote(root)
            else str(Path(root, name))
        )

    def ann_file(self) -> str:
        """Path of the annotation file, or ''."""
        name = self.cfg.get('ann_file')
        return self.path(name) if name else ''

    def prefix(self, *keys: str) -> str | None:
        """Path of a folder in ``data_prefix``, by the first key there is."""
        prefix = self.cfg.get('data_prefix')
        if isinstance(prefix, str) or prefix is None:
            return self.path(prefix or '')
        for key in keys:
            if prefix.get(key) is not None:
                return self.path(prefix[key])
        return None

    def steps(self) -> Iterator[dict[str, Any]]:
        """The transforms of its pipeline and of those around it."""
        for cfg in (self.cfg, *self.wrappers):
            yield from flat_steps(cfg.get('pipeline'))

    def turns(self) -> bool:
        """Whether pictures are turned by their EXIF tag when loaded."""
        for step in self.steps():
            kind = str(step.get('color_type', ''))
            if kind == 'unchanged' or 'ignore_orientation' in kind:
                return False
        return True

    def elsewhere(self) -> bool:
        """Whether a backend other than this machine's files is read."""
        cfgs = [self.cfg, *self.steps()]
        for cfg in cfgs:
            for key in ('backend_args', 'file_client_args'):
                backend = (cfg.get(key) or {}).get('backend', 'local')
                if backend not in ('local', 'disk'):
                    return True
        prefix = self.cfg.get('data_prefix') or {}
        folders = [prefix] if isinstance(prefix, str) else prefix.values()
        paths = [self.cfg.get('data_root'), self.cfg.get('ann_file'), *folders]
        return any(map(is_remote, filter(None, paths)))


def flat_steps(pipeline: Any) -> Iterator[dict[str, Any]]:
    """The transforms of a pipeline, out of what groups them."""
    if isinstance(pipeline, dict):
        yield pipeline
        pipeline = pipeline.get('transforms')
    if isinstance(pipeline, (list, tuple)):
        for step in pipeline:
            yield from flat_steps(step)


def full_name(kind: type) -> str:
    """A class by its package and its name."""
    return f'{kind.__module__.partition(".")[0]}.{kind.__name__}'


def type_name(cfg: Any) -> str:
    """The bare name of the type of a config, whose type may be a class."""
    kind = cfg.get('type', '') if isinstance(cfg, dict) else ''
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.rpartition('.')[2]


def resolve(registry: Registry, kind: Any, scope: str | None) -> Any:
    """The class that a type means, or None."""
    if not isinstance(kind, str):
        return kind
    try:
        with registry.switch_scope_and_registry(scope) as found:
            return found.get(kind)
    except Exception as error:
        debug(f'{kind!r} is not known: {error}')
        return None


def is_remote(path: Any) -> bool:
    """Whether mmengine reads a path by another backend than the disk's."""
    try:
        return not isinstance(get_file_backend(str(path)), LocalBackend)
    except Exception:
        return True


def sources(cfg: Config, split: str) -> Iterator[Source]:
    """The data sets of a split, out of their wrappers, however deep."""
    loader = cfg.get(f'{split}_dataloader')
    scope = cfg.get('default_scope')
    if not isinstance(loader, dict) or not loader.get('dataset'):
        return
    for dataset, wrappers in _unwrapped(loader['dataset'], ()):
        kind = resolve(DATASETS, dataset['type'], scope)
        own = dataset.get('_scope_') or scope
        yield Source(dataset, split, own, kind, wrappers)


def _unwrapped(
    dataset: Any, around: tuple[dict[str, Any], ...]
) -> Iterator[tuple[dict[str, Any], tuple[dict[str, Any], ...]]]:
    if not isinstance(dataset, dict) or 'type' not in dataset:
        return  # a data set that is built already
    inner = dataset.get('datasets') or dataset.get('dataset')
    if isinstance(inner, dict) and 'type' not in inner:
        inner = list(inner.values())  # by names
    parts = inner if isinstance(inner, (list, tuple)) else [inner]
    parts = [part for part in parts if isinstance(part, dict)]
    if not parts:
        yield dataset, around
    for part in parts:
        yield from _unwrapped(part, (dataset, *around))


def unwrapped(loader: Any) -> Iterator[dict[str, Any]]:
    """The configs of the data sets of a loader, out of their wrappers."""
    if isinstance(loader, dict) and loader.get('dataset'):
        for dataset, _ in _unwrapped(loader['dataset'], ()):
            yield dataset


def metainfo(source: Source) -> dict[str, Any]:
    """What the class of a data set and its config say of it."""
    if not hasattr(source.kind, '_load_metainfo'):
        return {}
    try:
        meta = source.cfg.get('metainfo')
        return source.kind._load_metainfo(meta) or {}  # type: ignore
    except Exception as error:
        debug(f'{source.name}: metainfo cannot be read: {error}')
        return {}


def is_toyworld(cfg: Config) -> bool:
    """Whether the training annotations were made by mmuniformer.toyworld.

    That package is not imported for its names: it needs pycocotools, which
    not every task has.
    """
    for dataset in unwrapped(cfg.get('train_dataloader')):
        root = Path(dataset.get('data_root') or '')
        name = dataset.get('ann_file') or ''
        # The marker of the folder, where lists are plain text.
        path = root / (name if name.endswith('.json') else 'toyworld.json')
        if not path.is_file():
            return False
        with open(path, 'rb') as file:
            if b'mmuniformer toy world' not in file.read(4096):
                return False
    return True
