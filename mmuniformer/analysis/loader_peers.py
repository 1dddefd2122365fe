"""The training recipe of our classifiers, by timm and by torchvision."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..hosts.mmpretrain.timm_policy import operations, posterize

# Operations that move pixels.
SPATIAL = ('Rotate', 'Shear', 'Translate')
Pipeline = tuple[Callable[[str], Any], Callable[[list], Any]]


def steps_of(pipeline: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The transforms of a pipeline by their names, without scope."""
    return {step['type'].rsplit('.', 1)[-1]: step for step in pipeline}


def crop_of(steps: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What crops: mmpretrain's transform, or that with label maps."""
    crop = steps.get('RandomResizedCrop') or steps.get('TokenLabelCrop')
    return dict(crop or {})


def read(path: str) -> Any:
    """A picture as timm's data set reads it."""
    with open(path, 'rb') as file:
        return Image.open(file).convert('RGB')


def timm_pipeline(pipeline: list[dict[str, Any]]) -> Pipeline:
    """Timm's own transforms with the values of a pipeline of ours.

    Erasing and normalisation are not in it: timm's loader does them on the
    device. The only change is that posterizing to 0 bits, which Pillow 13
    refuses, is possible.
    """
    from timm.data import create_transform
    from timm.data.loader import fast_collate
    from torchvision.transforms import Compose

    steps = steps_of(pipeline)
    policy = steps.get('TimmAutoAugment', {})
    side = int(crop_of(steps)['scale'])
    built = create_transform(
        side,
        is_training=True,
        use_prefetcher=True,
        scale=tuple(crop_of(steps)['crop_ratio_range']),
        ratio=tuple(crop_of(steps)['aspect_ratio_range']),
        color_jitter=0.0,  # not beside a policy
        auto_augment=policy.get('policy'),
        interpolation=policy.get('interpolation', 'bicubic'),
    )
    for transform in built.transforms:
        for op in operations(transform) if is_policy(transform) else ():
            if op.name.startswith('Posterize'):
                op.aug_fn = partial(posterize, op.aug_fn)
    if 'TokenLabelCrop' in steps:  # there the crop is the last
        crop, _, *others, last = built.transforms
        maps = LabelMaps(steps['LoadTokenLabel']['folder'])
        for transform in others:
            for op in operations(transform) if is_policy(transform) else ():
                if op.name.startswith(SPATIAL):
                    op.aug_fn = partial(maps.move, op.aug_fn)
        whole = Compose([maps.flip, *others, crop, last])
        return lambda path: (whole(maps.read(path)), maps.label), with_maps
    return (
        lambda path: (built(read(path)), 0),
        fast_collate,
    )


class LabelMaps:
    """The label map of a picture, beside timm's transforms of the picture.

    It is read by PyTorch, flipped, and moved plane by plane by the functions
    that move the picture, as in the authors' code.

    Args:
        folder: Of the maps.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.label = torch.empty(0)

    def read(self, path: str) -> Any:
        """The picture, and its map into ``label``."""
        place = Path(path)
        name = Path(self.folder, place.parent.name, f'{place.stem}.pt')
        self.label = torch.load(name).float()
        return read(path)

    def flip(self, picture: Any) -> Any:
        """Flips both, or none."""
        if random.random() < 0.5:
            self.label = self.label.flip(3)
            return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return picture

    def move(
        self, function: Callable[..., Any], picture: Any, *args: Any, **kw: Any
    ) -> Any:
        """Moves both."""
        how = dict(resample=Image.Resampling.NEAREST, fillcolor=0)
        planes = self.label.flatten(0, 1).numpy()
        moved = [
            np.asarray(function(Image.fromarray(plane), *args, **how))
            for plane in planes
        ]
        self.label = torch.from_numpy(np.stack(moved)).view_as(self.label)
        return function(picture, *args, **kw)


def with_maps(samples: list) -> Any:
    """A batch of pictures and of their maps."""
    from timm.data.loader import fast_collate

    pictures = fast_collate([(picture, 0) for picture, _ in samples])
    return pictures, torch.stack([label for _, label in samples])


def is_policy(transform: Any) -> bool:
    """Whether a transform is a policy of timm."""
    return type(transform).__name__ in ('RandAugment', 'AutoAugment')


def torchvision_pipeline(pipeline: list[dict[str, Any]]) -> Pipeline:
    """Torchvision's transforms, v2, on tensors; its policy is similar.

    It draws 2 operations of magnitude 9 from 14, always.
    """
    from torchvision.io import decode_image
    from torchvision.transforms import v2

    crop = crop_of(steps_of(pipeline))
    built = v2.Compose(
        [
            v2.RandomResizedCrop(
                int(crop['scale']),
                tuple(crop['crop_ratio_range']),
                tuple(crop['aspect_ratio_range']),
                v2.InterpolationMode.BICUBIC,
            ),
            v2.RandomHorizontalFlip(),
            v2.RandAugment(2, 9, interpolation=v2.InterpolationMode.BILINEAR),
        ]
    )

    def sample(path: str) -> Any:
        data = torch.from_numpy(np.fromfile(path, np.uint8))
        return built(decode_image(data, 'RGB'))

    return sample, torch.stack


def frame_by_frame(step: dict[str, Any]) -> Any:
    """A transform of clips as it was before clips were moved as a whole.

    Frames are augmented by timm one by one, resized by PyTorch and decoded by
    decord. The draws are the same.

    Args:
        step: Of a pipeline of ours.
    """
    step = dict(step)
    kind = step.get('type', '').rsplit('.', 1)[-1]
    if kind == 'DecordInit':
        step['reader'] = 'decord'
    if kind in ('ClipAutoAugment', 'ClipResizedCrop'):
        from . import loader_clips

        del step['type']
        return getattr(loader_clips, kind)(**step)
    if 'transforms' in step:
        step['transforms'] = [frame_by_frame(s) for s in step['transforms']]
    return step
