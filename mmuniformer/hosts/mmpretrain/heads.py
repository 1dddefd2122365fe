"""For mmpretrain: heads of the authors' classifiers, token labeling.

Legend: B batch, C channels, K classes.
"""

from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.models.heads import ClsHead
from torch import Tensor, nn

from ...errors import UserError
from ...registry import MODELS
from . import token_labels

INIT = dict(type='TruncNormal', layer='Linear', std=0.02, bias=0.0)


@MODELS.register_module()
class LightClsHead(ClsHead):
    """Head of the light models: patch features and class token.

    Source: ``UniFormer_Light`` and ``engine_light.py`` of the authors. Each
    branch has half of the loss; only patch features predict.

    Args:
        num_classes: Classes K.
        in_channels: Channels C of the backbone's output.
        init_cfg: Initialisation.
        kwargs: Arguments of mmpretrain's ``ClsHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        init_cfg: dict[str, Any] | None = INIT,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        self.fc = nn.Linear(in_channels, num_classes)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def pre_logits(self, feats: Any) -> Tensor:
        """Map (B, C, H, W) and class token (B, C), as a pair, -> (B, C)."""
        return feats[-1][0].flatten(2).mean(2)

    def forward(self, feats: Any) -> Tensor:
        """Logits of the patch features, (B, K)."""
        return self.fc(self.pre_logits(feats))

    def both(self, feats: Any) -> tuple[Tensor, Tensor]:
        """Logits of the patch features and of the class token, (B, K)."""
        return self(feats), self.fc_cls(feats[-1][1])

    def loss(
        self, feats: Any, data_samples: list[Any], **kwargs: Any
    ) -> dict[str, Tensor]:
        """Half of the loss of each branch."""
        patches, token = (
            self._get_loss(logits, data_samples, **kwargs)
            for logits in self.both(feats)
        )
        patches['loss'] = 0.5 * patches['loss']
        return dict(patches, loss_cls_token=0.5 * token['loss'])


@MODELS.register_module()
class TokenLabelHead(ClsHead):
    """Head of token labeling: one layer for the mean, one for each token.

    Source: ``UniFormer`` and ``TokenLabelCrossEntropy`` of the authors'
    ``token_labeling``. It predicts with both: the logits of the mean, plus
    half of the largest of all tokens.

    Args:
        num_classes: Classes K.
        in_channels: Channels C of the backbone's output.
        label_size: Tokens along a side of the training input.
        smoothing: Label smoothing of the targets.
        box_order: See :func:`.token_labels.targets`.
        init_cfg: Initialisation.
        kwargs: Arguments of mmpretrain's ``ClsHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        label_size: int,
        smoothing: float = 0.1,
        box_order: str = 'published',
        init_cfg: dict[str, Any] | None = INIT,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        if box_order not in ('published', 'xy'):
            raise UserError(
                f"box_order={box_order!r}: wanted 'published' or 'xy'"
            )
        self.num_classes = num_classes
        self.label_size = label_size
        self.smoothing = smoothing
        self.box_order = box_order
        self.fc = nn.Linear(in_channels, num_classes)
        self.aux_fc = nn.Linear(in_channels, num_classes)

    def pre_logits(self, feats: Any) -> Tensor:
        """Map (B, C, H, W) -> tokens (B, H * W, C)."""
        return feats[-1].flatten(2).transpose(1, 2)

    def forward(self, feats: Any) -> Tensor:
        """Logits (B, K)."""
        tokens = self.pre_logits(feats)
        best = self.aux_fc(tokens).max(1).values
        return self.fc(tokens.mean(1)) + 0.5 * best

    def loss(  # type: ignore[override]
        self, feats: Any, data_samples: list[Any], box: token_labels.Box
    ) -> dict[str, Tensor]:
        """Losses of a mixed batch.

        Args:
            feats: Map (B, C, H, W), the last of a tuple.
            data_samples: With ``token_label`` and ``crop_box``.
            box: What was mixed, on the grid of the map.
        """
        tokens = self.pre_logits(feats)
        aux = self.aux_fc(tokens).transpose(1, 2)
        labels, boxes = (
            torch.stack([sample.get(name) for sample in data_samples])
            for name in ('token_label', 'crop_box')
        )
        target = token_labels.targets(
            labels.to(aux.device),
            boxes.to(aux.device),
            self.num_classes,
            self.label_size,
            self.smoothing,
            self.box_order,
        )
        mean, dense = token_labels.losses(
            self.fc(tokens.mean(1)).float(),
            aux.float().unflatten(2, feats[-1].shape[2:]),
            target,
            box,
        )
        return dict(loss_cls=mean, loss_tokens=dense)


@MODELS.register_module()
class TokenLabelClassifier(ImageClassifier):
    """A classifier that mixes its batches on the first embedding.

    Source: ``UniFormer`` of the authors' ``token_labeling``: MixToken takes
    the place of Mixup and CutMix.
    """

    def loss(
        self, inputs: Tensor, data_samples: list[Any]
    ) -> dict[str, Tensor]:
        """Losses of a batch of images (B, 3, H, W)."""
        boxes = []

        def mix(module: nn.Module, args: Any, x: Tensor) -> Tensor:
            boxes.append(token_labels.random_box(*x.shape[2:]))
            return token_labels.swap(x, boxes[0])

        hook = self.backbone.patch_embed1.register_forward_hook(mix)
        try:
            feats = self.extract_feat(inputs)
        finally:
            hook.remove()
        # From stride 4 to stride 32, down: of a box that does not lie on the
        # coarse grid the targets are a little off, as published.
        box = tuple(edge // 8 for edge in boxes[0])
        return self.head.loss(feats, data_samples, box=box)
