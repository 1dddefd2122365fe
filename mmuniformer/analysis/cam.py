"""Grad-CAM: where the evidence for a class, a box or a key point is.

Papers: Selvaraju et al., 2017 (arXiv 1610.02391), which weighs each channel
by its mean gradient; Draelos and Carin, 2020 (arXiv 2011.08891), HiResCAM,
which weighs each place of it by its own. The mean is right before the pooling
of a head, where all places have one gradient; further down it is not.

Legend: B batch, C channels, K classes or key points, *S = (H, W) or
(T, H, W).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UserError
from ..prediction.predictor import Predictor
from ..prediction.tasks import Job
from ..weights.load import find_backbone
from . import views
from .views import overlay

__all__ = ['Cam', 'overlay', 'reshape_transform']

OWN = 'hirescam', 'gradcam'
BACKGROUND = 1  # classes that a box head has in addition


class Cam:
    """Class activation maps of a model.

    Args:
        predictor: The model, with ``fuse=False`` and ``half=False``.
        layer: Name of a layer in the backbone, e.g. 'blocks4' or
            'blocks3.2'; its output is a map.
        method: 'hirescam' or 'gradcam', which are computed here. Or a class
            of the package grad-cam, in small letters: 'layercam',
            'gradcamplusplus', 'eigencam', ...

    Raises:
        UserError: No such layer or method, or a detector without a head for
            boxes.
    """

    def __init__(
        self,
        predictor: Predictor,
        layer: str = 'blocks2',
        method: str = 'hirescam',
    ) -> None:
        self.predictor = predictor
        self.model = predictor.model
        if predictor.scope == 'mmdet' and not hasattr(
            getattr(self.model, 'roi_head', None), '_bbox_forward'
        ):
            raise UserError(
                f'MODEL: {type(self.model).__name__} has no head that scores '
                f'a box; wanted a detector in two stages'
            )
        self.backbone: Any = find_backbone(self.model)[1]
        layers = dict(self.backbone.named_modules())
        if layer not in layers:
            stages = [name for name in layers if name.count('.') < 2 and name]
            raise UserError(
                f'layer={layer!r}: the backbone has {", ".join(stages[:40])}'
            )
        self.layer = layers[layer]
        self.heat: Callable[..., Tensor] = (
            partial(own_heat, mean=method == 'gradcam')
            if method in OWN
            else library(method)
        )

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

    def name(self, target: int) -> str:
        """The name of a class or key point."""
        if self.predictor.scope == 'mmpose':
            return self.predictor.meta['keypoint_id2name'][target]
        return self.predictor.task.name(target)

    def __call__(
        self,
        job: Job,
        target: int | None = None,
        box: Sequence[float] | None = None,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """The map of a job.

        Args:
            job: A picture, or a clip, of which the first view is taken.
            target: Class or key point; by default the best one.
            box: Detectors: x1, y1, x2, y2 in pixels of the picture; by
                default that of the surest object (of the class).

        Returns:
            Heat from 0 to 1, (*S); what the network was given in RGB,
            (*S, 3), bytes; the target.

        Raises:
            UserError: A detector finds nothing.
        """
        x, data = views.first_input(self.predictor, job)
        roi: Any = None
        if self.predictor.scope == 'mmdet':
            if box is None:
                box, target = self.surest(job, target)
            sample = data['data_samples'][0]
            scale = x.new_tensor(sample.scale_factor).repeat(2)
            roi = torch.cat([x.new_zeros(1), x.new_tensor(box) * scale])
        scores = Scores(self, roi)
        if target is None:
            with torch.no_grad():
                target = int(scores(x)[0].argmax())
        with without_gradients(self.model), torch.enable_grad():
            # Of the input, so that no frozen layer is in the way.
            given = x.clone().requires_grad_()
            heat = self.heat(scores, self.layer, given, target)
        heat = views.enlarged(heat.clamp(min=0), x.shape[2:])
        heat = heat / heat.max().clamp(min=1e-12)
        picture = views.picture_of(self.predictor, x)
        return heat.cpu().numpy(), picture, target

    def surest(
        self, job: Job, target: int | None
    ) -> tuple[Sequence[float], int]:
        """Box and class of the surest object, of a class if one is given."""
        (found,) = self.predictor.predict_jobs([job])
        for thing in found.record.get('objects', ()):
            if target in (None, thing['label']):
                return thing['box'], thing['label']
        wanted = '' if target is None else self.predictor.task.name(target)
        raise UserError(f'{job.source.path}: no object {wanted}'.strip())

    def scores(self, x: Tensor, roi: Tensor | None = None) -> Tensor:
        """Scores (K,) of the classes or key points of one input.

        Args:
            x: (1, C, *S).
            roi: Of detectors: 0, x1, y1, x2, y2 in pixels of the input.
        """
        scope = self.predictor.scope
        if scope == 'mmaction':
            return self.model.cls_head(self.model.backbone(x))[0]
        if scope == 'mmdet':
            return self.box_scores(x, roi)
        if scope == 'mmpretrain':
            logits = self.model(x, mode='tensor')
            while not isinstance(logits, Tensor):
                logits = logits[0]
            return logits[0]
        maps = self.model(x, None, mode='tensor')[0].flatten(1)
        if scope == 'mmpose':
            return maps.amax(1)
        # A class by the pixels that are taken for it, or by all.
        won = (
            maps.argmax(0)
            == torch.arange(len(maps), device=maps.device)[:, None]
        )
        won = won.where(won.any(1, keepdim=True), torch.ones_like(won))
        return (maps * won).sum(1) / won.sum(1) + won.sum(1).log().detach()

    def box_scores(self, x: Tensor, roi: Any) -> Tensor:
        """Logits (K,) of a box, those of the last stage of a cascade."""
        head = self.model.roi_head
        last = [head.num_stages - 1] if hasattr(head, 'num_stages') else []
        maps = self.model.extract_feat(x)
        found = head._bbox_forward(*last, maps, roi[None])
        return found['cls_score'][0, :-BACKGROUND]


class Scores(nn.Module):
    """The scores (1, K) of one input as a module.

    Args:
        cam: Computes them.
        roi: See :meth:`Cam.scores`.
    """

    def __init__(self, cam: Cam, roi: Tensor | None) -> None:
        super().__init__()
        self.model = cam.model
        self.compute = cam.scores
        self.roi = roi

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, *S) -> (1, K)."""
        return self.compute(x, self.roi)[None]


@contextmanager
def without_gradients(model: nn.Module) -> Iterator[None]:
    """Leaves the parameters of a model out of a backward pass."""
    wanted = [p for p in model.parameters() if p.requires_grad]
    try:
        for parameter in wanted:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)


def own_heat(
    scores: nn.Module, layer: nn.Module, x: Tensor, target: int, mean: bool
) -> Tensor:
    """Channels, weighted by their gradients or the mean of these, (*S')."""
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(
        lambda module, given, out: kept.append(reshape_transform(out))
    )
    try:
        (gradient,) = torch.autograd.grad(scores(x)[0, target], kept)
    finally:
        hook.remove()
    if mean:
        places = tuple(range(2, gradient.ndim))
        gradient = gradient.mean(places, keepdim=True)
    return (gradient * kept[0].detach())[0].sum(0)


def library(method: str) -> Callable[..., Tensor]:
    """A method of the package grad-cam.

    Raises:
        UserError: It is not installed, or has no such method.
    """
    try:
        import pytorch_grad_cam as package
    except ImportError as error:
        raise UserError(
            f'method={method!r}: needs grad-cam (pip install grad-cam); '
            f'wanted it, or one of {", ".join(OWN)}'
        ) from error
    kinds = {
        name.lower(): kind
        for name, kind in vars(package).items()
        if name.endswith(('CAM', 'CAMPlusPlus', 'Grad'))
        and isinstance(kind, type)
    }
    if method not in kinds:
        raise UserError(f'method={method!r}: wanted one of {sorted(kinds)}')

    def heat(
        scores: nn.Module, layer: nn.Module, x: Tensor, target: int
    ) -> Tensor:
        # The package sees outputs that are a map: it gets a layer that
        # passes on the map alone.
        tap = nn.Identity()
        hook = layer.register_forward_hook(
            lambda module, given, out: _with_map(out, tap)
        )
        scores.tap = tap
        pick = package.utils.model_targets.ClassifierOutputTarget(target)
        try:
            with kinds[method](scores, [tap]) as cam:
                return torch.from_numpy(np.asarray(cam(x, [pick])[0]))
        finally:
            hook.remove()

    return heat


def _with_map(output: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """What a layer gives, its map changed."""
    if isinstance(output, Tensor):
        return change(reshape_transform(output))
    first, *rest = output
    return type(output)((_with_map(first, change), *rest))


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
