"""Whether pictures, data preprocessor and network have the same channels."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, OPTIMIZERS, TRANSFORMS

from . import models
from .config_keys import close_to
from .datasets import Source, full_name, resolve, sources, type_name
from .findings import Findings
from .pictures import read_header, spread

PREPARES = 'model.data_preprocessor'
# What hosts take where a config names no type.
PREPROCESSORS = {
    'mmpretrain': 'ClsDataPreprocessor',
    'mmaction': 'ActionDataPreprocessor',
}
# Steps that load pictures by ``color_type``, and those of videos.
LOADERS = ('LoadImageFromFile', 'LoadImage')
DECODERS = ('DecordDecode', 'OpenCVDecode', 'PyAVDecode')
# Steps of libraries after which there may be other channels.
CHANGERS = ('ConcatCDInput', 'ToMotion', 'Albu', 'Albumentations')
# Steps that leave pictures of different sizes different.
KEEPERS = (
    'LoadImageFromFile', 'LoadAnnotations', 'RandomFlip', 'ColorJitter',
    'PhotoMetricDistortion', 'RandAugment', 'AutoAugment', 'RandomErasing',
    'ResizeEdge', 'PackInputs', 'PackSegInputs',
)  # fmt: skip
HEADERS = 64


def check_inputs(cfg: Config, splits: Sequence[str], found: Findings) -> None:
    """Checks what the first batch would stumble over.

    Args:
        cfg: Whole config.
        splits: Of 'train', 'val' and 'test'.
        found: Gets what is wrong.
    """
    prepare, kind = _preprocessor(cfg)
    channels = _channels(cfg)
    for name in ('mean', 'std'):
        values = prepare.get(name)
        if not isinstance(values, (list, tuple)):
            continue
        if channels and len(values) not in (1, channels):
            found.error(
                'channels',
                f'{PREPARES}.{name} has {len(values)} values, but '
                f'model.backbone.in_channels={channels}; wanted one for each '
                f'channel',
            )
        if name == 'std' and 0 in values:
            found.error(
                'std',
                f'{PREPARES}.std={list(values)} has a 0, by which pixels are '
                f'divided; wanted 1 for those that stay as they are',
            )
    if kind == 'mmseg.SegDataPreProcessor' and 'train' in splits:
        _check_padding(prepare, found)
    for split in splits:
        for source in sources(cfg, split):
            if channels:
                _check_loaded(source, channels, found)


def _preprocessor(cfg: Config) -> tuple[dict[str, Any], str]:
    """Config and class of the data preprocessor, '' if nobody knows it."""
    model = cfg.get('model')
    own = model.get('data_preprocessor') if isinstance(model, dict) else None
    prepare = own or cfg.get('data_preprocessor')
    if not isinstance(prepare, dict):
        return {}, ''
    scope = cfg.get('default_scope')
    name = prepare.get('type', PREPROCESSORS.get(scope or ''))
    kind = resolve(MODELS, name, scope) if name else None
    known = full_name(kind) if isinstance(kind, type) else ''
    package = known.partition('.')[0]
    return (prepare, known) if package in models.LIBRARIES else ({}, '')


def _channels(cfg: Config) -> int | None:
    """Channels that the UniFormers of a model take, if all the same."""
    scope = cfg.get('default_scope')
    model = cfg.get('model') or {}
    kinds = [part for _, key, part in models.parts(model) if key == 'backbone']
    ours = [_package(part, scope) == 'mmuniformer' for part in kinds]
    # A model of the user's own may hand on something else.
    if not all(ours) or _package(model, scope) not in models.LIBRARIES:
        return None
    counts = {part.get('in_channels', 3) for part in kinds}
    count = counts.pop() if len(counts) == 1 else None
    return count if isinstance(count, int) else None


def _package(part: dict[str, Any], scope: str | None) -> str:
    """Whose class a part of a model is; '' if nobody knows."""
    kind = resolve(MODELS, part.get('type'), scope)
    return full_name(kind).partition('.')[0] if kind else ''


def _check_padding(prepare: dict[str, Any], found: Findings) -> None:
    """Checks that mmseg knows to which size it pads a batch."""
    given = [k for k in ('size', 'size_divisor') if prepare.get(k) is not None]
    if len(given) != 1:
        found.error(
            'size of a batch',
            f'{PREPARES} has {" and ".join(given) or "no size"}; wanted '
            f'either size, that of the crops, such as (512, 512), or '
            f'size_divisor',
        )


def loaded(source: Source) -> tuple[int | None, str]:
    """Channels that a pipeline loads, None where nobody knows; the step."""
    count, name = None, ''
    for step in source.steps():
        kind = resolve(TRANSFORMS, step.get('type'), source.scope)
        package = full_name(kind).partition('.')[0] if kind else ''
        own = type_name(step)
        strange = package not in models.LIBRARIES or package == 'torchvision'
        if strange or own in CHANGERS:
            return None, ''
        if own in DECODERS:
            count, name = 3, own
        elif own in LOADERS:
            color = str(step.get('color_type', 'color'))
            plain = step.get('imdecode_backend') in (None, 'cv2', 'pillow')
            kinds = dict(color=3, grayscale=1) if plain else {}
            count, name = kinds.get(color.partition('_')[0]), own
    return count, name


def _check_loaded(source: Source, channels: int, found: Findings) -> None:
    """Checks that pictures are loaded with the channels of the network."""
    count, step = loaded(source)
    # One channel less its three means has three.
    if not count or count in (1, channels):
        return
    how = (
        "set its color_type='grayscale'"
        if channels == 1
        else f"set its color_type='unchanged' for pictures of {channels}"
    )
    if step in DECODERS:
        how = 'wanted a step of your own that gives as many'
    found.where = f'{source.split} data'
    found.error(
        'channels',
        f'{step} in the pipeline of {source.name} loads {count} channels, '
        f'but model.backbone.in_channels={channels}; {how}, or '
        f'model.backbone.in_channels={count}',
    )
    found.where = ''


def check_sizes(
    source: Source, cfg: Config, paths: Sequence[str], found: Findings
) -> None:
    """Checks that pictures of one batch can be of one size.

    Args:
        source: A data set of mmpretrain or mmseg.
        cfg: Whole config.
        paths: Its pictures.
        found: Gets what is wrong.
    """
    loader = cfg[f'{source.split}_dataloader']
    batch = loader.get('batch_size', 1)
    steps = [*source.steps()]
    pads = source.is_a('mmpretrain.BaseDataset') and (
        type_name(loader.get('collate_fn')) != 'default_collate'
    )
    same = pads or any(
        type_name(step) not in KEEPERS and not _keeps_ratio(step)
        for step in steps
    )
    if same or not steps or batch == 1:
        return
    sizes: dict[tuple[int, int], str] = {}
    for path in spread(list(paths), HEADERS):
        try:
            sizes.setdefault(read_header(path)[0], path)
        except OSError:
            continue  # said elsewhere
        if len(sizes) == 2:
            one, other = (f'{p!r} {w} x {h}' for (w, h), p in sizes.items())
            found.error(
                'size of a batch',
                f'{one}, {other}: pictures of different sizes, which the '
                f'pipeline of {source.name} leaves so, cannot be one batch '
                f'(batch_size={batch}); add a Resize or a crop, or set '
                f'{source.split}_dataloader.batch_size=1',
            )
            return


def _keeps_ratio(step: dict[str, Any]) -> bool:
    return type_name(step) == 'Resize' and bool(step.get('keep_ratio'))


def check_weights(cfg: Config, found: Findings) -> None:
    """Checks that losses have a weight for each class."""
    scope = cfg.get('default_scope')
    for option, _, part in models.parts(cfg.get('model')):
        number = part.get('num_classes')
        package = _package(part, scope)
        free = package not in models.LIBRARIES or 'out_channels' in part
        if free or not isinstance(number, int):
            continue
        for place, weights in _class_weights(option, part):
            # Losses of boxes and queries have one more, for the background.
            key = place.removeprefix(option).split('.')[1]
            plain = key in ('loss', 'loss_decode') or package == 'mmaction'
            wanted = (number,) if plain else (number, number + 1)
            if len(weights) not in wanted:
                found.error(
                    'class_weight',
                    f'{place} has {len(weights)} values, but '
                    f'{option}.num_classes={number}; wanted '
                    f'{" or ".join(map(str, wanted))}',
                )


def _class_weights(
    option: str, head: dict[str, Any]
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Option and value of each list of class weights of a head."""
    for key, losses in head.items():
        if not str(key).startswith('loss'):
            continue
        many = isinstance(losses, (list, tuple))
        for i, loss in enumerate(losses if many else [losses]):
            weights = loss.get('class_weight') if isinstance(loss, dict) else 0
            if isinstance(weights, (list, tuple)):
                place = f'{key}.{i}' if many else key
                yield f'{option}.{place}.class_weight', weights


def check_optimizer(cfg: Config, found: Findings) -> None:
    """Checks that there is such an optimizer, and that it does something."""
    wrapper = cfg.get('optim_wrapper')
    optimizer = wrapper.get('optimizer') if isinstance(wrapper, dict) else None
    if not isinstance(optimizer, dict) or 'type' not in optimizer:
        return
    name, place = optimizer['type'], 'optim_wrapper.optimizer'
    if not resolve(OPTIMIZERS, name, cfg.get('default_scope')):
        found.error(
            'optimizer',
            f'{place}.type={name!r} is not known'
            f'{close_to(str(name), OPTIMIZERS.module_dict)}',
        )
    rate = optimizer.get('lr')
    if isinstance(rate, (int, float)) and rate == 0:
        found.warn('learning rate', f'{place}.lr=0: nothing will be learned')
