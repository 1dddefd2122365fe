"""What a token looks at: attention of a point or of the class token.

Legend: K heads, N tokens of a map, M tokens of one attention, *S = (H, W) or
(T, H, W). Rolled out as by Abnar and Zuidema, 2020 (arXiv 2005.00928).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..models.blocks import AttnBlock
from ..models.layers import Attention
from ..models.tokens import window_join, window_split
from ..models.uniformer_light import LightBlock
from ..prediction.predictor import Predictor
from ..prediction.tasks import Job
from ..weights.load import find_backbone
from . import views
from .tokens import kept_places, watch


@dataclass
class Look:
    """The attention of one block.

    Attributes:
        name: Of the block, as 'blocks3.0'.
        shape: Sizes *S of its map.
        attn: Its attention.
        x: What that is given, (B, M, C); windows are the batch.
        window: Side of the windows, or 0.
        cls: Whether the class token comes first.
        places: Tokens that a light block keeps, in the order of the
            attention; None if all.
        shares: Of each token (N,) in the representative of those that it
            does not keep.
    """

    name: str
    shape: torch.Size
    attn: Attention
    x: Tensor
    window: int = 0
    cls: bool = False
    places: Tensor | None = None
    shares: Tensor | None = None

    @torch.no_grad()
    def weights(self, head: int) -> Tensor:
        """The softmax (B, M, M) of a head; rows are who looks."""
        query, key, _ = (part[:, head] for part in self.attn.heads(self.x))
        return (query @ key.mT * query.shape[-1] ** -0.5).softmax(-1)

    @torch.no_grad()
    def pushed(self, row: Tensor) -> Tensor:
        """What tokens look at, by head.

        Args:
            row: How much each token counts, (N,), the class token, where
                there is one, first.

        Returns:
            (K, N). In windows a part is lost: what looks at the padding.
        """
        heads = range(self.attn.num_heads)
        return torch.stack([self._pushed(row, self.weights(k)) for k in heads])

    def _pushed(self, row: Tensor, weights: Tensor) -> Tensor:
        if self.window:
            full = torch.Size((1, 1, *self.shape))
            split = window_split(row.view(full), self.window)
            found = (split.mT @ weights).mT
            return window_join(found, self.window, full).flatten()
        if self.places is None:
            return row @ weights[0]
        # Class token, kept tokens, representative of the others.
        assert self.shares is not None
        first, rest = row[:1], row[1:]
        kept = rest[self.places]
        others = (rest.sum() - kept.sum()).view(1)
        found = torch.cat([first, kept, others]) @ weights[0]
        new = self.shares * found[-1]
        new[self.places] = found[1:-1]
        return torch.cat([found[:1], new])


class Attentions:
    """Attention of all blocks that have it, for one input.

    Args:
        backbone: A UniFormer; not fused.
        x: Input, (1, C, *S).
    """

    def __init__(self, backbone: Any, x: Tensor) -> None:
        self.looks: list[Look] = []
        self.input = x.shape[2:]
        with watch(backbone, AttnBlock, self._note), torch.no_grad():
            backbone(x)

    def _note(self, name: str, block: Any, given: Any, tokens: Tensor) -> None:
        light = isinstance(block, LightBlock)
        scores: Any = given[2] if light else None
        x = given[0] if light else given
        look = Look(name, x.shape[2:], block.attn, tokens)
        look.window, look.cls = block.window_size, light
        places = kept_places(block, scores) if light else None
        if places is not None:
            look.places = places[0]
            shares = scores[0].index_fill(0, places[0], 0)
            look.shares = shares / shares.sum().clamp_min(1e-30)
        self.looks.append(look)

    def block(self, name: str) -> Look:
        """The attention of a block.

        Raises:
            UserError: There is none of this name.
        """
        for look in self.looks:
            if look.name == name:
                return look
        names = ', '.join(look.name for look in self.looks)
        raise UserError(f'block={name!r}: wanted one of {names}')

    def start(self, look: Look, query: Sequence[float] | None) -> Tensor:
        """Who looks, (N,), at a block.

        Args:
            look: The block.
            query: Point as shares, from 0 to 1, of width and height and, of
                clips, time (0.5 by default). None: the class token of light
                models; of others all tokens alike, whose mean is what heads
                see.

        Raises:
            UserError: It is not within the picture.
        """
        count = look.shape.numel()
        row = look.x.new_zeros(count + look.cls)
        if query is None:
            if look.cls:
                row[0] = 1
            else:
                row += 1 / count
            return row
        row[look.cls + place_of(query, look.shape)] = 1
        return row

    def heads(
        self, look: Look, query: Sequence[float] | None = None
    ) -> Tensor:
        """What a point or the class token looks at, (K, *S)."""
        found = look.pushed(self.start(look, query))
        return found[:, int(look.cls) :].unflatten(1, look.shape)

    def rollout(self, query: Sequence[float] | None = None) -> Tensor:
        """Attention through all blocks, down to the map of stage 3, (*S).

        Heads are averaged, and half of each block is what goes past it. An
        embedding between two stages looks at 2 x 2 tokens alike.
        """
        look = self.looks[-1]
        row = self.start(look, query)
        for below in reversed(self.looks):
            if below.shape != look.shape:
                row = spread(row, look, below)
            look = below
            row = (row + look.pushed(row).mean(0)) / 2
        return row[int(look.cls) :].view(look.shape)


def place_of(query: Sequence[float], shape: Sequence[int]) -> int:
    """Number of the token at a point; see :meth:`Attentions.start`.

    Raises:
        UserError: It is not within the picture.
    """
    values = list(query)
    if len(shape) == 3 and len(values) == 2:
        values.append(0.5)
    if len(values) != len(shape) or not all(0 <= v <= 1 for v in values):
        wanted = 'X Y' if len(shape) == 2 else 'X Y or X Y T'
        raise UserError(
            f'query={tuple(query)}: wanted {wanted} as shares, from 0 to 1, '
            f'of the width and so on'
        )
    place = 0
    for size, value in zip(shape, values[::-1]):
        place = place * size + min(int(value * size), size - 1)
    return place


def spread(row: Tensor, look: Look, below: Look) -> Tensor:
    """Spreads a row over the four times larger map of the stage below."""
    first = int(look.cls)
    maps = row[first:].view(look.shape)
    maps = maps.repeat_interleave(2, -1).repeat_interleave(2, -2) / 4
    full = row.new_zeros(below.shape)
    full[..., : maps.shape[-2], : maps.shape[-1]] = maps
    return torch.cat([row[:first], full.flatten()])


def maps(
    predictor: Predictor,
    job: Job,
    query: Sequence[float] | None = None,
    block: str | None = None,
    rollout: bool = False,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Attention for a job.

    Args:
        predictor: The model, with ``fuse=False``.
        job: A picture, or a clip, of which the first view is taken.
        query: See :meth:`Attentions.start`.
        block: The heads of this block, each.
        rollout: One map, through all blocks.

    Returns:
        Maps (*S') by name, by default of every block, the mean of its heads;
        and what the network was given in RGB, (*S, 3), bytes.

    Raises:
        UserError: No such block or point.
    """
    x, _ = views.first_input(predictor, job)
    seen = Attentions(find_backbone(predictor.model)[1], x)
    if rollout:
        found = {'rollout': seen.rollout(query)}
    elif block:
        heads = seen.heads(seen.block(block), query)
        found = {f'head {k}': one for k, one in enumerate(heads)}
    else:
        found = {
            look.name: seen.heads(look, query).mean(0) for look in seen.looks
        }
    arrays = {name: one.cpu().numpy() for name, one in found.items()}
    return arrays, views.picture_of(predictor, x)


def overlays(
    found: dict[str, np.ndarray],
    picture: np.ndarray,
    query: Sequence[float] | None = None,
) -> dict[str, np.ndarray]:
    """Maps over the picture, the point marked; see :func:`views.write`."""
    shown = {}
    for name, values in found.items():
        heat = views.enlarged(
            torch.from_numpy(values), torch.Size(picture.shape[:-1])
        )
        heat = heat / heat.max().clamp_min(1e-30)
        drawn = views.overlay(heat.numpy(), picture)
        if query is not None:
            views.mark(drawn, query)
        shown[name] = drawn
    return shown
