"""Accuracies as published, and the inputs that they were published for."""

import importlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from ..errors import UserError
from .complexity import published_shape

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
TIMM = Path(__file__).with_name('timm.tsv')
TOP1 = re.compile(r'Published: ([\d.]+) top-1')
DATA = ('ImageNet-1K', 'Kinetics-400')


class Published(NamedTuple):
    """What is known of a model from its authors.

    Attributes:
        shape: (H, W) or (T, H, W) of the input, or None.
        top1: Accuracy in percent, or None.
        views: Clips times crops of a video for this accuracy; 1 for images.
    """

    shape: tuple[int, ...] | None = None
    top1: float | None = None
    views: int = 1


def of_config(path: Path) -> Published:
    """Top-1 from the docstring of a recipe, input from its test pipeline."""
    cfg = Config.fromfile(path)
    found = TOP1.search(path.read_text())
    top1 = float(found[1]) if found else None
    return Published(input_of(cfg), top1, views(cfg))


def input_of(cfg: Any) -> tuple[int, ...]:
    """(H, W) or (T, H, W) of a config's test input."""
    if cfg.get('default_scope') in (None, 'mmpretrain'):
        steps = cfg.test_dataloader.dataset.pipeline
        sizes = [s.get('crop_size', s.get('scale')) for s in steps]
        sizes = [size for size in sizes if size]
        if sizes:
            return _square(sizes[-1])
    return published_shape(cfg)


def of_arch(arch: str, shape: tuple[int, ...]) -> Published:
    """That of the recipe for a size and an input, if there is one."""
    *frames, height, side = shape
    if frames:
        names = [f'video/uniformer_{arch}_{frames[0]}_{side}_k400']
        names += [f'video/uniformer_{arch}_{frames[0]}x{n}_k400' for n in '48']
    else:
        names = [f'cls/uniformer_{arch}', f'cls/uniformer_{arch}_tl']
        names += [f'{name}_{height}' for name in names]
    for name in names:
        path = CONFIGS / f'{name}.py'
        found = of_config(path) if path.is_file() else Published()
        if found.shape == shape:
            return found
    return Published(shape)


def views(cfg: Any) -> int:
    """Clips times crops of the test pipeline; 1 for images."""
    if cfg.get('default_scope') != 'mmaction':
        return 1
    count = 1
    for step in cfg.test_dataloader.dataset.pipeline:
        count *= step.get('num_clips', 1) * step.get('num_crops', 1)
        count *= {'ThreeCrop': 3, 'TenCrop': 10}.get(step['type'], 1)
    return count


@lru_cache(None)
def index(package: str) -> dict[str, Any]:
    """Models in the metafiles of an installed OpenMMLab package, by name.

    Each is its entry in the metafile; 'Config' is made an absolute path.
    """
    import yaml  # type: ignore[import-untyped]

    root = Path(importlib.import_module(package).__file__ or '').parent
    models = {}
    for path in sorted((root / '.mim/configs').rglob('metafile.yml')):
        for entry in (yaml.safe_load(path.read_text()) or {}).get(
            'Models', ()
        ):
            config = entry.get('Config')
            if isinstance(config, str):
                config = root / '.mim' / config
                models[entry['Name']] = dict(entry, Config=config)
    return models


def find_entry(package: str, name: str) -> dict[str, Any]:
    """Entry of a model by its name, or by the beginning that is only its own.

    Raises:
        UserError: No such model, or several.
    """
    models = index(package)
    if name in models:
        return models[name]
    found = [key for key in models if key.startswith(name)]
    if len(found) != 1:
        fit = ', '.join(found[:8]) or f'none of its {len(models)} models'
        raise UserError(
            f'--peer={package}:{name}: wanted the name of one model, or how '
            f'only this one begins; {fit} begins so'
        )
    return models[found[0]]


def of_entry(entry: dict[str, Any], cfg: Any) -> Published:
    """From a metafile's entry and the config that it names."""
    top1 = None
    for result in entry.get('Results') or ():
        if str(result.get('Dataset')).lower() in map(str.lower, DATA):
            top1 = (result.get('Metrics') or {}).get('Top 1 Accuracy')
            break
    return Published(input_of(cfg), top1, views(cfg))


def of_torchvision(name: str) -> Published:
    """From the default weights of a model; they are not downloaded."""
    from torchvision.models import get_model_weights

    weights: Any = get_model_weights(name).DEFAULT
    metrics = weights.meta['_metrics']
    top1 = next((metrics[d]['acc@1'] for d in DATA if d in metrics), None)
    shape = _square(weights.transforms.keywords['crop_size'])
    return Published(None if 'Kinetics-400' in metrics else shape, top1)


def _square(size: Any) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)


def of_timm(name: str) -> Published:
    """At the input of a model's default weights; they are not downloaded."""
    import timm

    weights: Any = timm.get_pretrained_cfg(name)
    tag = f'{weights.architecture}.{weights.tag}'
    shape = tuple(weights.input_size[1:])
    for line in TIMM.read_text().splitlines():
        if line.startswith(f'{tag}\t{shape[0]}\t'):
            return Published(shape, float(line.rpartition('\t')[2]))
    return Published(shape)
