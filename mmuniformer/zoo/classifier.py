"""Classifiers of pictures and clips, with PyTorch and mmengine alone.

Legend: B batch, C channels, K classes, *S = (H, W) or (T, H, W). Methods have
the names and meanings of timm's. Names of tensors are the authors', behind
``backbone.``.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError


class Classifier(nn.Module):
    """A UniFormer and its classifier.

    Args:
        backbone: A UniFormer that returns all four stages; a light one its
            class token, too.
        num_classes: Classes K; 0 for pooled features (B, C).
        tokens: A second classifier looks at each token, and half of the
            largest of its logits is added (token labeling).
        drop_rate: Dropout in front of the classifier.

    Raises:
        UserError: An argument is out of range.
    """

    head: nn.Module
    head_cls: nn.Module
    aux_head: nn.Module

    def __init__(
        self,
        backbone: Any,
        num_classes: int = 1000,
        tokens: bool = False,
        drop_rate: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= drop_rate < 1:
            raise UserError(f'drop_rate={drop_rate!r}: wanted 0 <= rate < 1')
        self.backbone = backbone
        self.feature_info = backbone.feature_info
        self.global_pool = 'avg'
        self.num_features = self.head_hidden_size = backbone.arch.embed_dims[3]
        self.light = getattr(backbone, 'with_cls_token', False)
        self.tokens = tokens
        self.drop = nn.Dropout(drop_rate)
        self.reset_classifier(num_classes)

    def reset_classifier(
        self, num_classes: int, global_pool: str | None = None
    ) -> None:
        """Puts new classifiers in place.

        Args:
            num_classes: Classes K; 0 for pooled features.
            global_pool: 'avg', '' for maps without classifiers, None for
                what it was.

        Raises:
            UserError: The number is negative, or the pooling unknown.
        """
        if isinstance(num_classes, bool) or not isinstance(num_classes, int):
            raise UserError(f'num_classes={num_classes!r}: wanted an int')
        if num_classes < 0:
            raise UserError(f'num_classes={num_classes}: wanted 0 or more')
        if global_pool not in (None, 'avg', ''):
            raise UserError(f"global_pool={global_pool!r}: wanted 'avg' or ''")
        if global_pool == '' and num_classes:
            raise UserError(
                "global_pool='': classifiers need pooled features; wanted "
                'num_classes=0 with it'
            )
        if global_pool is not None:
            self.global_pool = global_pool
        elif num_classes:
            self.global_pool = 'avg'
        self.num_classes = num_classes
        names = ['head']
        names += ['head_cls'] if self.light else []
        names += ['aux_head'] if self.tokens else []
        like = next(self.backbone.parameters())
        for name in names:
            if not num_classes:
                setattr(self, name, nn.Identity())
                continue
            layer = nn.Linear(self.num_features, num_classes)
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
            setattr(self, name, layer.to(like))

    def get_classifier(self) -> nn.Module:
        """The classifier of the pooled features."""
        return self.head

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Has the backward pass compute the blocks again, to save memory."""
        self.backbone.set_grad_checkpointing(enable)

    def no_weight_decay(self) -> set[str]:
        """Parameters that optimisers exempt, beside norms and biases."""
        return {f'backbone.{n}' for n in self.backbone.no_weight_decay()}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of parameter names, for layer-wise learning rates."""
        blocks = r'^backbone\.blocks(\d)' + ('' if coarse else r'\.(\d+)')
        return dict(
            stem=r'^backbone\.patch_embed1',
            blocks=[
                (blocks, None),
                (r'^backbone\.(?:patch_embed|norm)(\d)', (0,)),
                (r'^backbone\.(?:norm\.|norm_cls|cls_)', (99999,)),
            ],
        )

    def forward_features(self, x: Tensor) -> Any:
        """(B, C_in, *S) -> map (B, C, *S / 32).

        A light model in training has its class token, which only learns,
        beside it.
        """
        return self._last(_maps(self.backbone(x)))

    def _last(self, maps: tuple[Any, ...]) -> Any:
        last = maps[-1]
        alone = isinstance(last, tuple) and not self.training
        return last[0] if alone else last

    def forward_head(self, x: Any, pre_logits: bool = False) -> Tensor:
        """What :meth:`forward_features` gives -> logits (B, K).

        Args:
            x: Map (B, C, *S); of a light model with its class token (B, C).
            pre_logits: Return pooled features (B, C) instead.
        """
        x, token = x if isinstance(x, tuple) else (x, None)
        if not self.global_pool:
            return x
        pooled = self.drop(x.flatten(2).mean(2))
        if pre_logits or not self.num_classes:
            return pooled
        logits = self.head(pooled)
        if self.tokens:
            each = self.aux_head(x.flatten(2).transpose(1, 2))
            logits = logits + 0.5 * each.max(1).values
        if self.training and token is not None:
            # Both branches learn; only the first one predicts.
            logits = (logits + self.head_cls(self.drop(token))) / 2
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, *S) -> logits (B, K)."""
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = 'NCHW',
        intermediates_only: bool = False,
    ) -> Any:
        """Maps of stages, as timm's models give them.

        Args:
            x: Input (B, C_in, *S).
            indices: Stages from 0, negative ones from the end; an int for so
                many of the last; None for all.
            norm: Ignored: the last map is normalised, as in training.
            stop_early: Ignored: all stages are computed.
            output_fmt: 'NCHW', the only one.
            intermediates_only: Return the maps alone.

        Returns:
            Maps (B, C, *S / stride), and before them what
            :meth:`forward_features` gives, unless ``intermediates_only``.

        Raises:
            UserError: A stage does not exist, or the format is another.
        """
        if output_fmt != 'NCHW':
            raise UserError(f"output_fmt={output_fmt!r}: wanted 'NCHW'")
        if indices is None:
            wanted = list(range(4))
        elif isinstance(indices, int):
            wanted = list(range(4))[-indices:] if indices > 0 else [99]
        else:
            wanted = list(indices)
        if not all(-4 <= i < 4 for i in wanted):
            raise UserError(f'indices={indices!r}: wanted stages from 0 to 3')
        maps = _maps(self.backbone(x))
        last = self._last(maps)
        plain = [m[0] if isinstance(m, tuple) else m for m in maps]
        picked = [plain[i] for i in wanted]
        return picked if intermediates_only else (last, picked)


class FeatureInfo(list[dict[str, Any]]):
    """What is known of the maps of some stages, in the form of timm."""

    def channels(self) -> list[int]:
        """Channels of each map."""
        return [info['num_chs'] for info in self]

    def reduction(self) -> list[int]:
        """Stride of each map."""
        return [info['reduction'] for info in self]

    def module_name(self) -> list[str]:
        """The part of the backbone that each map is from."""
        return [info['module'] for info in self]


class Features(nn.Module):
    """Maps of the stages of a UniFormer, as a list.

    Args:
        backbone: A UniFormer that returns the stages of ``out_indices``.
        out_indices: These stages, from 0.
    """

    def __init__(self, backbone: Any, out_indices: Sequence[int]) -> None:
        super().__init__()
        self.backbone = backbone
        known = backbone.feature_info
        self.feature_info = FeatureInfo(known[i] for i in out_indices)
        self.out_indices = tuple(out_indices)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Has the backward pass compute the blocks again, to save memory."""
        self.backbone.set_grad_checkpointing(enable)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C_in, *S) -> maps (B, C, *S / stride)."""
        return list(_maps(self.backbone(x)))


def _maps(outs: Any) -> tuple[Any, ...]:
    """A tensor as a tuple of one."""
    return (outs,) if torch.is_tensor(outs) else tuple(outs)
