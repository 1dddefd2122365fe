"""The light UniFormer: XXS and XS, for images and for video.

Legend: B batch, C channels, N tokens, *S = (H, W) or (T, H, W).
Paper: UniFormer (arXiv 2201.09450), light models; token pruning after Evo-ViT
(arXiv 2108.01390). Official classes: ``UniFormer_Light`` of the dense tasks,
``Uniformer_light`` and ``Uniformer_light_ls_fp32`` of video; one class here.
"""

from typing import Any

import torch
from torch import Tensor, nn

from .. import options
from ..errors import UserError
from ..fast import inference as fast
from ..registry import MODELS
from .arch import LIGHT_ARCHS, Arch
from .blocks import AttnBlock, scaled
from .layers import ScoredAttention
from .tokens import (
    flatten,
    keep,
    merge,
    pool_scores,
    restore,
    share,
    to_channels_last,
    unflatten,
)
from .uniformer import UniFormer

# Share of the new scores in the running scores; the official ``trade_off``.
TRADE_OFF = 0.5

# The parameters that lead the class token into stages 3 and 4, each with the
# embedding that leads the map there: both have one depth.
ENTRIES = {'cls_token': 'patch_embed3', 'cls_upsample': 'patch_embed4'}

State = tuple[Tensor, Tensor, Tensor | None]


class LightBlock(AttnBlock):
    """Self-attention over the tokens that matter most.

    The tokens that the class token looks at most are kept. The others are
    merged into one representative, which takes part in their place, and they
    get added what attention and MLP add to it.

    Args:
        keep_ratio: Share of the tokens to keep, floored; 1 keeps all and
            needs no representative. The other arguments are those of
            :class:`~mmuniformer.models.blocks.AttnBlock`.
    """

    attention = ScoredAttention

    def __init__(
        self,
        dim: int,
        ndim: int,
        num_heads: int,
        mlp_ratio: float,
        drop_path_rate: float,
        layer_scale_init_value: float,
        keep_ratio: float,
    ) -> None:
        super().__init__(
            dim,
            ndim,
            num_heads,
            mlp_ratio,
            drop_path_rate,
            layer_scale_init_value,
        )
        self.keep_ratio = keep_ratio

    def forward(self, state: State) -> State:  # type: ignore[override]
        """Map (B, C, *S), class token (B, 1, C) and scores (B, N), the same.

        The scores, running means of the class token's attention, rank the
        tokens. They are None before the first block, which keeps all.
        """
        x, cls_token, scores = state
        x = x + self.pos_embed(x)
        shape = x.shape
        x = flatten(x)
        if scores is None or self.keep_ratio == 1:
            tokens, new, _ = self.mix(torch.cat([cls_token, x], 1))
            cls_token, x = tokens[:, :1], tokens[:, 1:]
            new = new[:, 1:]
            scores = new if scores is None else blend(scores, new)
        else:
            x, cls_token, scores = self.prune(x, cls_token, scores)
        return unflatten(x, shape), cls_token, scores

    def prune(
        self, x: Tensor, cls_token: Tensor, scores: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, N, C), class token and scores (B, N), the same."""
        total = x.shape[1]
        kept = share(total, self.keep_ratio)
        # Only kept tokens get new scores, and a dropped one if it is the only
        # one (official code: 1 or 2 tokens): it is its own representative.
        # No comparison, which would fix the sizes of exported graphs.
        scored = kept + 1 // (total - kept)
        index = scores.topk(scored, 1).indices
        places = index[:, :kept]
        # The scores from before this block are the weights of the merge.
        representative = merge(x, scores.scatter(1, places, 0.0))
        tokens, new, update = self.mix(
            torch.cat([cls_token, keep(x, places), representative], 1)
        )
        x = restore(x, places, tokens[:, 1:-1], update)
        new = blend(scores.gather(1, index), new[:, 1 : scored + 1])
        return x, tokens[:, :1], scores.scatter(1, index, new)

    def mix(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Attention and MLP.

        Args:
            x: Tokens (B, N, C), the class token first.

        Returns:
            Tokens (B, N, C), attention weights of the class token (B, N) and
            what both branches add to the last token (B, 1, C); drop path
            spares this one, as in the official code.
        """
        if fast.mixes(self, x):
            return fast.mix(self, x)
        branch, weights = self.attn(self.norm1(x))
        branch = scaled(branch, self.gamma_1)
        update = branch[:, -1:]
        x = x + self.drop_path(branch)
        branch = scaled(self.mlp(self.norm2(x)), self.gamma_2)
        return x + self.drop_path(branch), weights, update + branch[:, -1:]


def blend(old: Tensor, new: Tensor) -> Tensor:
    """Running mean of scores."""
    return torch.lerp(old, new, TRADE_OFF)


@MODELS.register_module()
class UniFormerLight(UniFormer):
    """Light UniFormer: a class token ranks the tokens, half are pruned.

    Stages 1 and 2 are those of :class:`UniFormer`. From stage 3 on a class
    token goes with the map, and scores flow from block to block as a value,
    so that models can be interleaved, checkpointed and run in threads.

    Args:
        arch: Size: a key of ``LIGHT_ARCHS`` or a dict of
            :class:`~mmuniformer.models.arch.Arch` values.
        keep_ratio: Share of the tokens that a block of stages 3 and 4 keeps;
            the first block of stage 3 keeps all.
        with_cls_token: Return the class token of stage 4, too, normalised by
            ``norm_cls``, for heads that have a branch for it (recognition
            only). ``norm_cls`` is built only if it is returned: without a
            loss it would have no gradient.
        kwargs: Arguments of :class:`UniFormer`; attention is global. Layer
            scales are those of the released video models: the update of
            dropped tokens is scaled, too (``Uniformer_light_ls_fp32``).

    Raises:
        UserError: An argument is unknown or out of range.
    """

    archs: dict[str, Arch] = LIGHT_ARCHS
    attn_block = LightBlock

    def __init__(
        self,
        arch: str | dict[str, Any] = 'xxs',
        ndim: int = 2,
        keep_ratio: float = 0.5,
        with_cls_token: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get('attention', 'global') != 'global':
            raise UserError(
                f"attention={kwargs['attention']!r}: wanted 'global'; light "
                f'models have no windows'
            )
        # Before super().__init__, which builds the blocks.
        self.keep_ratio = options.keep_ratio(keep_ratio)
        super().__init__(arch, ndim, **kwargs)
        self.with_cls_token = options.flag('with_cls_token', with_cls_token)
        if with_cls_token and (self.dense or 3 not in self.out_indices):
            raise UserError(
                f'with_cls_token=True: wanted dense=False and stage 3 in '
                f'out_indices, got dense={self.dense} and '
                f'out_indices={self.out_indices}'
            )
        if with_cls_token:
            self.norm_cls = nn.LayerNorm(self.arch.embed_dims[3], eps=1e-5)
            self.freeze()

    def build_embeddings(self, in_channels: int) -> None:
        """Builds what leads into the stages, the class token's included."""
        super().build_embeddings(in_channels)
        dims = self.arch.embed_dims
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dims[2]))
        self.cls_upsample = nn.Linear(dims[2], dims[3])

    def attn_argument(self, stage: int, index: int) -> float:
        """What differs between attention blocks: the share of kept tokens."""
        return self.keep_ratio if stage == 3 or index else 1

    def forward(self, x: Tensor) -> Any:
        """(B, C_in, *S) -> maps (B, C, *S / stride) of ``out_indices``.

        With ``with_cls_token`` the last output is a pair: the map of stage 4
        and the class token (B, C).
        """
        x = to_channels_last(options.of_rank(x, self.ndim))
        outs: list[Any] = []
        cls_token = self.cls_token.expand(x.shape[0], -1, -1)
        scores: Any = None
        for i in range(4):
            if i == 3:
                cls_token = self.cls_upsample(cls_token)
                scores = pool_scores(scores, x.shape)
            x = getattr(self, f'patch_embed{i + 1}')(x)
            blocks = getattr(self, f'blocks{i + 1}')
            if i < 2:
                x = blocks(x)
            else:
                x, cls_token, scores = blocks((x, cls_token, scores))
            if i in self.out_indices:
                outs.append(self.emit(i, x))
        if self.with_cls_token:
            outs[-1] = outs[-1], self.norm_cls(cls_token[:, 0])
        return outs[0] if self.returns_tensor else tuple(outs)

    def frozen_names(self) -> list[str]:
        """Modules and parameters that ``frozen_stages`` covers."""
        names = super().frozen_names()
        if self.frozen_stages >= 3:
            names.append('cls_token')
        if self.frozen_stages == 4:
            names += ['cls_upsample', 'norm_cls']
        return names

    def get_layer_depth(
        self, param_name: str, prefix: str = ''
    ) -> tuple[int, int]:
        """Depth of a parameter, for layer-wise learning-rate decay.

        As in :class:`UniFormer`; the class token has the depth of embedding
        3 and its projection into stage 4 that of embedding 4.
        """
        for own, like in ENTRIES.items():
            if param_name.startswith(prefix + own):
                param_name = prefix + like
        return super().get_layer_depth(param_name, prefix)

    def no_weight_decay(self) -> set[str]:
        """Parameters without weight decay, in addition to norms and biases."""
        return {'cls_token'}
