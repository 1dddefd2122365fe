"""What a model expects of its input, and the transform that makes it."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from ..weights.published import Release
from .names import CONFIGS, find_model


def default_cfg(
    release: Release,
    cfg: Any,
    img_size: int | Sequence[int] | None = None,
) -> dict[str, Any]:
    """What is known of a model, by the names that timm gives it.

    Args:
        release: Row of the table.
        cfg: Its config, the source of all numbers.
        img_size: Another input, side or (height, width) in pixels.

    Returns:
        ``input_size`` (channels, frames of a video, height, width),
        ``crop_pct`` (input side over side after resizing), ``mean`` and
        ``std`` for values from 0 to 1, ``interpolation``, ``num_classes``.
    """
    size = [int(n) for n in release.input.split('x')]
    if img_size is not None:
        sides = [img_size] * 2 if isinstance(img_size, int) else list(img_size)
        size[-2:] = sides
    preprocessor = cfg.model.data_preprocessor
    heads = [cfg.model.get(k) for k in ('head', 'cls_head', 'decode_head')]
    classes = [h.num_classes for h in heads if h and 'num_classes' in h]
    return dict(
        architecture=release.name,
        url=next(iter(release.addresses), ''),
        num_classes=classes[0] if classes else 0,
        input_size=(3, *size),
        pool_size=None,
        fixed_input_size=False,
        crop_pct=crop_share(cfg),
        crop_mode='center',
        interpolation='bicubic' if release.task == 'cls' else 'bilinear',
        mean=tuple(round(v / 255, 6) for v in preprocessor.mean),
        std=tuple(round(v / 255, 6) for v in preprocessor.std),
        first_conv='backbone.patch_embed1.proj'
        + ('' if release.stem == 'patch' else '.0'),
        classifier='head',
        license='apache-2.0',
    )


def crop_share(cfg: Any) -> float:
    """Side of the test crop over the short side after resizing."""
    steps = {s.type: s for s in cfg.test_dataloader.dataset.pipeline}
    resize, crop = steps.get('ResizeEdge'), steps.get('CenterCrop')
    return crop.crop_size / resize.scale if resize and crop else 1.0


def create_transform(
    name: str, img_size: int | None = None, in_chans: int = 3
) -> Any:
    """The test transform of a classifier of pictures, by torchvision.

    Args:
        name: See :func:`list_models`.
        img_size: Another side of the crop, in pixels; what was cut away in
            proportion stays.
        in_chans: 1 for grey pictures, whose mean and deviation are those of
            all channels.

    Returns:
        From a PIL picture to a normalised tensor (C, H, W); its resizing is
        Pillow's, as in the recipes.

    Raises:
        UserError: The model is no classifier of pictures.
    """
    import torch
    from torchvision.transforms import v2

    release = find_model(name)
    if release.task != 'cls':
        raise UserError(
            f'name={name!r}: it is of task {release.task}; wanted a '
            f'classifier of pictures'
        )
    if in_chans not in (1, 3):
        raise UserError(f'in_chans={in_chans!r}: wanted 1 or 3')
    cfg = Config.fromfile(CONFIGS / f'{release.config}.py')
    known = default_cfg(release, cfg, img_size)
    side = known['input_size'][-1]
    mean, std = known['mean'], known['std']
    if in_chans == 1:
        mean, std = [sum(mean) / 3], [sum(std) / 3]
    return v2.Compose(
        [
            v2.Grayscale() if in_chans == 1 else v2.RGB(),
            v2.Resize(
                int(side / known['crop_pct']),
                v2.InterpolationMode.BICUBIC,
            ),
            v2.CenterCrop(side),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(mean, std),
        ]
    )
