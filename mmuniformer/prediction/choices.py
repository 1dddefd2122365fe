"""What is asked of a predictor: checked, and brought into the config."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from mmengine.config import ConfigDict

from ..errors import UserError
from . import models
from .tasks import Pose, Segmentation, Task


def half_context(device: str, cfg: Any) -> Callable[[], Any]:
    """Mixed precision if a test of the config has it, or nothing."""
    if not (cfg.get('test_cfg') or {}).get('fp16'):
        return nullcontext
    kind = device.split(':')[0]
    dtype = torch.bfloat16 if kind == 'cpu' else torch.float16
    return lambda: torch.autocast(kind, dtype)


def slide_windows(cfg: Any, side: int, kind: type[Task]) -> None:
    """Has a segmentor go over whole pictures in windows; in place.

    Neighbours share a third, as in the recipes of mmseg.
    """
    if kind is not Segmentation:
        raise UserError(f'slide={side}: wanted a model of segmentation')
    stride = max(side * 2 // 3, 1)
    cfg.model.test_cfg = ConfigDict(
        mode='slide', crop_size=(side, side), stride=(stride, stride)
    )
    dataset = models.innermost(cfg.test_dataloader.dataset)
    dataset.pipeline = [
        transform
        for transform in dataset.pipeline
        if 'Resize' not in transform['type']
    ]


def check_people(
    kind: type[Task], boxes: Any, detector: Any, whole_image: bool
) -> None:
    """Raises UserError unless a pose model, and it alone, knows where."""
    given = sum(map(bool, (boxes, detector, whole_image)))
    if kind is Pose and given != 1:
        raise UserError(
            'a model of pose needs to know where people are: wanted one of '
            '--boxes FILE, --detector CONFIG:CHECKPOINT, --whole-image'
        )
    if kind is not Pose and given:
        raise UserError(
            '--boxes, --detector, --whole-image: wanted a model of pose'
        )


def at_least_one(value: int, name: str) -> int:
    """The value.

    Raises:
        UserError: It is less than one.
    """
    if value < 1:
        raise UserError(f'{name}={value}: wanted at least 1')
    return value
