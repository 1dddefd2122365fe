"""Grad-CAM: where the evidence for a class, or a key point, is.

Legend: B batch, C channels, *S = (H, W) or (T, H, W).
Paper: Selvaraju et al., 2017 (arXiv 1610.02391).
"""

from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.nn import functional as F

from ..errors import UserError
from ..prediction.predictor import Predictor
from ..prediction.tasks import Job
from ..weights.load import find_backbone
from . import charts
from .browse import FRAMES, undo


class Cam:
    """Class activation maps of a model.

    Args:
        predictor: The model, with ``fuse=False`` and ``half=False``.
        layer: Name of a layer in the backbone, e.g. 'blocks4' or
            'blocks3.2'; its output is a map.

    Raises:
        UserError: No such layer, or a detector, whose scores come after
            proposals.
    """

    def __init__(self, predictor: Predictor, layer: str = 'blocks2') -> None:
        if predictor.scope == 'mmdet':
            raise UserError('MODEL: detectors have no map of one class')
        self.predictor = predictor
        self.model = predictor.model
        self.backbone: Any = find_backbone(self.model)[1]
        layers = dict(self.backbone.named_modules())
        if layer not in layers:
            stages = [name for name in layers if name.count('.') < 2 and name]
            raise UserError(
                f'layer={layer!r}: the backbone has {", ".join(stages[:40])}'
            )
        self.layer = layers[layer]

    def number(self, target: str) -> int:
        """The class, or key point, of a name or number.

        Raises:
            UserError: There is none.
        """
        task = self.predictor.task
        if self.predictor.scope != 'mmpose':
            return task.number(target)
        names = self.predictor.meta['keypoint_name2id']
        if target in names:
            return names[target]
        if target.isdecimal() and int(target) < len(names):
            return int(target)
        raise UserError(f'target={target!r}: wanted one of {", ".join(names)}')

    def __call__(
        self, job: Job, target: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """The map of a job.

        Args:
            job: A picture, or a clip, of which the first view is taken.
            target: Class or key point; by default the best one.

        Returns:
            Heat from 0 to 1, (H, W) or (T, H, W); what the network was given
            in RGB, (H, W, 3) or (T, H, W, 3), bytes; the target.
        """
        samples = self.predictor.task.prepare(job)[:1]
        data = self.model.data_preprocessor(pseudo_collate(samples), False)
        x = data['inputs']
        x = x[:, 0] if x.ndim == self.backbone.ndim + 3 else x
        kept: list[Tensor] = []
        hook = self.layer.register_forward_hook(
            lambda module, given, out: kept.append(reshape_transform(out))
        )
        try:
            with torch.enable_grad():
                # Without frozen parts or a first layer in the way.
                scores = self.scores(x.clone().requires_grad_())
                if target is None:
                    target = int(scores.detach().argmax())
                (gradient,) = torch.autograd.grad(scores[target], kept[0])
        finally:
            hook.remove()
        activation = kept[0].detach()
        places = tuple(range(2, activation.ndim))
        weights = gradient.mean(places, keepdim=True)
        heat = (weights * activation).sum(1, keepdim=True).relu()
        mode = 'bilinear' if heat.ndim == 4 else 'trilinear'
        heat = F.interpolate(heat, x.shape[2:], mode=mode)[0, 0]
        heat = heat / heat.max().clamp(min=1e-12)
        task: Any = self.predictor.task
        rest = map(type, getattr(task, 'rest', ()))
        bgr = any(kind.__name__ == 'ReverseChannels' for kind in rest)
        picture = undo(
            self.model.data_preprocessor, x[0], self.predictor.scope, bgr
        )
        return heat.cpu().numpy(), picture, target

    def scores(self, x: Tensor) -> Tensor:
        """Scores (K,) of the classes or key points of one input."""
        scope = self.predictor.scope
        if scope == 'mmaction':
            return self.model.cls_head(self.model.backbone(x))[0]
        if scope == 'mmpretrain':
            logits = self.model(x, mode='tensor')
            while not isinstance(logits, Tensor):
                logits = logits[0]
            return logits[0]
        maps = self.model(x, None, mode='tensor')[0].flatten(1)
        if scope == 'mmpose':
            return maps.amax(1)
        # A class by the pixels that are taken for it, or by all.
        won = maps.argmax(0) == torch.arange(len(maps))[:, None]
        won = won.where(won.any(1, keepdim=True), torch.ones_like(won))
        return (maps * won).sum(1) / won.sum(1) + won.sum(1).log().detach()


def reshape_transform(output: Any) -> Tensor:
    """The map (B, C, *S) that a layer gives.

    Blocks of light models pass on a map, the class token and scores.
    """
    while not isinstance(output, Tensor):
        output = output[0]
    if output.ndim < 4:
        raise UserError(
            f'layer: its output is {tuple(output.shape)}; wanted one whose '
            f'output is a map, e.g. blocks4'
        )
    return output


def overlay(heat: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Heat over a picture, or over some frames of a clip, in BGR.

    Args:
        heat: As of :class:`Cam`.
        picture: As of :class:`Cam`.
    """
    if heat.ndim == 3:
        places = np.linspace(0, len(heat) - 1, FRAMES).astype(int)
        frames = [overlay(heat[place], picture[place]) for place in places]
        titles = [f'frame {place}' for place in places]
        size = frames[0].shape[1], frames[0].shape[0]
        return charts.tile(frames, titles, 4, size)
    scale = max(round(224 / min(heat.shape)), 1)
    size = heat.shape[1] * scale, heat.shape[0] * scale
    colours = cv2.applyColorMap(
        (255 * cv2.resize(heat, size)).astype(np.uint8), cv2.COLORMAP_JET
    )
    below = cv2.resize(np.ascontiguousarray(picture[..., ::-1]), size)
    return cv2.addWeighted(colours, 0.45, below, 0.55, 0)
