"""The key input_size, which every task counts in its own way."""

from fractions import Fraction
from itertools import count
from math import floor
from typing import Any

from ..errors import UserError
from .values import (
    Cfg,
    kind,
    nothing_to_change,
    pair,
    positive_int,
    steps,
    walk,
)

STRIDE = 32  # of the last map


def set_input_size(cfg: Cfg, size: Any) -> None:
    """Trains and tests at another size.

    Classification and video: pixels of the square input. Detection: the long
    and the short side, or the short one. Segmentation: side or (height,
    width) of the crop in training; scales follow. Key points: (width,
    height); heat maps follow.
    """
    found = steps(cfg)
    for field, change in (('clip_len', _video), ('encoder', _pose)):
        if any(field in step for step in found):
            return change(cfg, size)
    kinds = set(map(kind, found))
    if kinds & {'RandomResizedCrop', 'TokenLabelCrop', 'ResizeEdge'}:
        return _classification(cfg, size)
    if 'PackSegInputs' in kinds:
        return _segmentation(cfg, size)
    if 'PackDetInputs' in kinds:
        return _detection(cfg, size)
    raise nothing_to_change('input_size', size, 'pipeline of a known kind')


def _video(cfg: Cfg, size: Any) -> None:
    side = positive_int('input_size', size)
    found = [
        step
        for step in steps(cfg)
        if kind(step).startswith('Clip') and 'size' in step
    ]
    if not found:
        raise nothing_to_change('input_size', size, 'ClipResize or ClipCrop')
    for step in found:
        step['size'] = side


def _classification(cfg: Cfg, size: Any) -> None:
    side = positive_int('input_size', size)
    crops = [s for s in steps(cfg) if kind(s) == 'CenterCrop']
    old = crops[0]['crop_size'] if crops else 0
    old = old if isinstance(old, int) else min(old)
    for step in steps(cfg):
        if kind(step) in ('RandomResizedCrop', 'TokenLabelCrop'):
            step['scale'] = side
        elif kind(step) == 'TimmAutoAugment':
            step['size'] = side
        elif kind(step) == 'ResizeEdge' and old:
            share = crop_share(old, step['scale'])
            step['scale'] = floor(side / share)
    for step in crops:
        step['crop_size'] = side
    head = (cfg.get('model') or {}).get('head') or {}
    if 'label_size' in head:
        head['label_size'] = side // STRIDE


def crop_share(crop: int, resized: int) -> Fraction:
    """How much of a resized picture is cropped, as its authors chose it.

    They gave a simple number, 7/8 or 9/10, and rounded the size down.

    Args:
        crop: Side of the crop, in pixels.
        resized: The side that it is cut from, rounded down.

    Returns:
        The simplest share with ``floor(crop / share) == resized``.
    """
    return next(
        Fraction(floor(n * crop / resized), n)
        for n in count(1)
        if floor(n * crop / resized)
        and crop * n // floor(n * crop / resized) == resized
    )


def _scaled(value: Any, share: float) -> Any:
    """Sizes, however nested, times a share."""
    if isinstance(value, (list, tuple)):
        return type(value)(_scaled(item, share) for item in value)
    return max(1, round(value * share))


def _detection(cfg: Cfg, size: Any) -> None:
    tests = [cfg.get('test_dataloader'), cfg.get('test_pipeline')]
    old = next(
        (sorted(s['scale']) for s in walk(tests) if kind(s) == 'Resize'), None
    )
    if not old:
        raise nothing_to_change('input_size', size, 'Resize in its test')
    if isinstance(size, int):
        short = positive_int('input_size', size)
        long = round(old[1] * short / old[0])
    else:
        wanted = 'the short side, or (long, short)'
        short, long = sorted(pair('input_size', size, wanted))
    for step in steps(cfg):
        if kind(step) in ('Resize', 'RandomResize', 'RandomChoiceResize'):
            for name in ('scale', 'scales'):
                if name in step:
                    step[name] = _fitted(step[name], old, (short, long))
        elif kind(step) == 'RandomCrop':
            step['crop_size'] = _scaled(step['crop_size'], short / old[0])


def _fitted(scale: Any, old: list[int], new: tuple[int, int]) -> Any:
    """Pairs of sides, each side in proportion to the one of its length."""
    if isinstance(scale[0], (list, tuple)):
        return type(scale)(_fitted(item, old, new) for item in scale)
    long = scale.index(max(scale))
    return type(scale)(
        round(side * new[i == long] / old[i == long])
        for i, side in enumerate(scale)
    )


def _segmentation(cfg: Cfg, size: Any) -> None:
    new = (
        (positive_int('input_size', size),) * 2
        if isinstance(size, int)
        else pair('input_size', size, 'a side or (height, width)')
    )
    crops = [s for s in steps(cfg) if kind(s) == 'RandomCrop']
    if not crops:
        raise nothing_to_change('input_size', size, 'RandomCrop in training')
    share = min(new) / min(crops[0]['crop_size'])
    for step in crops:
        step['crop_size'] = new
    for step in steps(cfg):
        if kind(step) in ('Resize', 'RandomResize') and 'scale' in step:
            step['scale'] = _scaled(step['scale'], share)
    preprocessor = (cfg.get('model') or {}).get('data_preprocessor') or {}
    if 'size' in preprocessor:
        preprocessor['size'] = new


def _pose(cfg: Cfg, size: Any) -> None:
    width, height = pair('input_size', size, '(width, height)')
    if width % STRIDE or height % STRIDE:
        raise UserError(
            f'input_size={size!r}: wanted multiples of {STRIDE}, by which the '
            f'last map is smaller'
        )
    codec = next(s['encoder'] for s in steps(cfg) if 'encoder' in s)
    old = codec['input_size']
    maps = [
        round(new * part / whole)
        for new, part, whole in zip(
            (width, height), codec['heatmap_size'], old
        )
    ]
    # To half a pixel, as the recipes have it.
    sigma = max(1, round(2 * codec['sigma'] * width / old[0])) / 2
    sigma = int(sigma) if sigma == int(sigma) else sigma
    set_codec(
        cfg,
        dict(
            input_size=(width, height), heatmap_size=tuple(maps), sigma=sigma
        ),
    )


def set_codec(cfg: Cfg, codec: Any) -> None:
    """Changes how key points become heat maps, wherever it is said.

    Args:
        cfg: Whole config; changed in place.
        codec: Fields of a codec of mmpose: ``input_size``, ``sigma``, ...
    """
    if not isinstance(codec, dict):
        raise UserError(f'codec={codec!r}: wanted a dict of its fields')
    encoders = [s['encoder'] for s in steps(cfg) if 'encoder' in s]
    head = (cfg.get('model') or {}).get('head') or {}
    places = [*encoders, head.get('decoder')]
    places = [place for place in places if isinstance(place, dict)]
    if not places:
        raise nothing_to_change('codec', codec, 'encoder or decoder')
    for place in places:
        place.update(codec)
    if 'input_size' in codec:
        for step in steps(cfg):
            if kind(step) == 'TopdownAffine':
                step['input_size'] = codec['input_size']
