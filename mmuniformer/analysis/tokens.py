"""Which tokens a light model keeps, layer by layer.

Legend: N tokens, C channels, *S = (H, W) or (T, H, W).
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..fast.fusion import fuse
from ..fast.half import half_dtype, to_half
from ..fast.int8 import to_int8
from ..models.tokens import share
from ..models.uniformer_light import LightBlock
from ..prediction.predictor import Predictor
from ..prediction.tasks import Job
from ..weights.load import find_backbone
from . import views

Note = Callable[[str, Any, Any, Tensor], None]
PRECISIONS = 'half', 'int8'


@dataclass
class Kept:
    """The tokens of one block.

    Attributes:
        name: Of the block, as 'blocks3.1'.
        kept: Which it keeps, (*S), bool.
        scores: What ranked them, (*S); None at the first block, which keeps
            all.
    """

    name: str
    kept: Tensor
    scores: Tensor | None

    @property
    def title(self) -> str:
        """Name and counts."""
        return f'{self.name}: {int(self.kept.sum())} of {self.kept.numel()}'


@contextmanager
def watch(backbone: Any, kind: type, note: Note) -> Iterator[None]:
    """Has ``note`` told what blocks and their attention are given.

    Args:
        backbone: The blocks are in it.
        kind: Class of the blocks.
        note: Called with the name of a block, the block, its input, and the
            tokens that its attention is given.
    """
    given: dict[str, Any] = {}

    def hooks(name: str, block: Any) -> list[Any]:
        def before(module: Any, args: Any) -> None:
            given[name] = args[0]

        def inside(module: Any, args: Any) -> None:
            note(name, block, given.pop(name), args[0])

        return [
            block.register_forward_pre_hook(before),
            block.attn.register_forward_pre_hook(inside),
        ]

    with ExitStack() as stack:
        for name, block in backbone.named_modules():
            if isinstance(block, kind):
                for hook in hooks(name, block):
                    stack.callback(hook.remove)
        yield


def kept_places(block: LightBlock, scores: Tensor | None) -> Tensor | None:
    """Places (B, k) of the tokens that a block keeps; None if all.

    Args:
        block: The block.
        scores: Those that it is given, (B, N).
    """
    if scores is None or block.keep_ratio == 1:
        return None
    total = scores.shape[1]
    kept = share(total, block.keep_ratio)
    return scores.topk(kept + 1 // (total - kept), 1).indices[:, :kept]


def kept_tokens(backbone: Any, x: Tensor) -> list[Kept]:
    """The tokens that each block of a light model keeps.

    Args:
        backbone: A light UniFormer.
        x: Input, (1, C, *S).

    Raises:
        UserError: It is not light.
    """
    found: list[Kept] = []

    def note(name: str, block: Any, given: Any, tokens: Tensor) -> None:
        shape, scores = given[0].shape[2:], given[2]
        places = kept_places(block, scores)
        mask = torch.full((shape.numel(),), places is None)
        if places is not None:
            mask[places[0].cpu()] = True
        ranks = None if scores is None else scores[0].cpu().view(shape)
        found.append(Kept(name, mask.view(shape), ranks))

    with watch(backbone, LightBlock, note), torch.no_grad():
        backbone(x)
    if not found:
        raise UserError(
            'MODEL: its backbone keeps all tokens; wanted a light one, '
            'mmuniformer.UniFormerLight'
        )
    return found


def in_precision(backbone: Any, kind: str) -> Any:
    """A fused copy of a backbone that computes as ``--half`` or ``--int8`` do.

    Args:
        backbone: In eval mode.
        kind: A member of ``PRECISIONS``.

    Raises:
        UserError: This machine does not compute so.
    """
    device = str(next(backbone.parameters()).device)
    other = fuse(copy.deepcopy(backbone))
    if kind == 'int8':
        to_int8(other)
    else:
        to_half(other, half_dtype(device))
    return other


def agreement(found: Sequence[Kept], others: Sequence[Kept]) -> list[float]:
    """Shares of the tokens that a block keeps which another model keeps, too.

    Args:
        found: Of :func:`kept_tokens`.
        others: Of the same blocks, of the other model.

    Returns:
        One of each block that drops some.
    """
    return [
        float((one.kept & other.kept).sum() / one.kept.sum())
        for one, other in zip(found, others)
        if not one.kept.all()
    ]


def shaded(kept: Tensor, picture: np.ndarray) -> np.ndarray:
    """A picture, dark and grey where a block does not look, in BGR.

    Args:
        kept: (*S'), bool.
        picture: (*S, 3) in RGB, bytes.
    """
    mask = views.enlarged(kept, torch.Size(picture.shape[:-1]), False)
    grey = picture.mean(-1, keepdims=True) * 0.35 + 20
    light = mask.numpy()[..., None] > 0.5
    shown = np.where(light, picture, grey).astype(np.uint8)
    if shown.ndim == 4:
        return np.stack([views.large(frame) for frame in shown])
    return views.large(shown)


def layers(
    predictor: Predictor, job: Job
) -> tuple[list[Kept], Tensor, np.ndarray]:
    """The tokens of every block for a job, its input, and that as a picture.

    Raises:
        UserError: The model is not light.
    """
    x, _ = views.first_input(predictor, job)
    found = kept_tokens(find_backbone(predictor.model)[1], x)
    return found, x, views.picture_of(predictor, x)
