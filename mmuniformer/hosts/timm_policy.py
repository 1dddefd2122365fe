"""Augmentation policies of timm, for the hosts that train with them.

timm is needed when a policy is built, not before.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from PIL import Image


def auto_augment(
    policy: str,
    fill: tuple[int, ...],
    interpolation: str,
    size: int | None = None,
) -> Any:
    """A policy of timm, from picture to picture.

    Args:
        policy: As timm spells it: 'v0', 'rand-m9-mstd0.5-inc1' and so on.
        fill: Red, green and blue of new pixels.
        interpolation: 'bicubic', 'bilinear', or 'random': one of the two.
        size: Side of the picture, which limits translations by pixels.
    """
    from timm.data import auto_augment

    settings: dict[str, Any] = dict(img_mean=tuple(fill))
    if size:
        settings['translate_const'] = int(0.45 * size)
    if interpolation != 'random':
        method = Image.Resampling[interpolation.upper()]
        settings['interpolation'] = method
    if policy.startswith('rand'):
        built = auto_augment.rand_augment_transform(policy, settings)
    else:
        built = auto_augment.auto_augment_transform(policy, settings)
    for op in operations(built):
        if op.name.startswith('Posterize'):
            op.aug_fn = partial(posterize, op.aug_fn)
    return built


def operations(policy: Any) -> list[Any]:
    """All operations of a policy of timm."""
    if hasattr(policy, 'ops'):
        return list(policy.ops)
    return [op for pair in policy.policy for op in pair]


def posterize(
    function: Callable[..., Any], picture: Any, bits: int, **kwargs: Any
) -> Any:
    """Posterize that goes down to 0 bits, all black.

    The recipes come to it: 'v0' by a level of 2, RandAugment by one of 10.
    Pillow 13 refuses what older ones did.
    """
    if bits == 0:
        return picture.point([0] * 256 * len(picture.getbands()))
    return function(picture, bits, **kwargs)
