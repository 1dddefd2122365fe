"""For mmaction2: the head of the authors' light video models.

Legend: B clips, C channels, K classes.
"""

from typing import Any

from mmaction.models.heads import I3DHead
from mmengine.model.weight_init import normal_init
from torch import Tensor, nn

from ...registry import MODELS

# Map (B, C, T, H, W) and class token (B, C).
Features = tuple[Tensor, Tensor]


@MODELS.register_module()
class LightVideoHead(I3DHead):
    """Head of the light video models: patch features and class token.

    Source: ``Uniformer_light`` of the authors' ``video_classification`` and
    its trainer. Each branch has half of the loss; only patch features
    predict.

    Args:
        num_classes: Classes K.
        in_channels: Channels C of the backbone's output.
        kwargs: Arguments of mmaction2's ``I3DHead``.
    """

    def __init__(
        self, num_classes: int, in_channels: int, **kwargs: Any
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.fc_token = nn.Linear(in_channels, num_classes)

    def init_weights(self) -> None:
        """Initialises both layers."""
        super().init_weights()
        normal_init(self.fc_token, std=self.init_std)

    def forward(self, feats: Features, **kwargs: Any) -> Tensor:
        """Logits of the patch features, (B, K)."""
        return super().forward(feats[0], **kwargs)

    def both(self, feats: Features) -> tuple[Tensor, Tensor]:
        """Logits of the patch features and of the class token, (B, K)."""
        return self(feats), self.fc_token(feats[1])

    def loss(
        self, feats: Features, data_samples: list[Any], **kwargs: Any
    ) -> dict[str, Tensor]:
        """Half of the loss of each branch."""
        patches, token = (
            self.loss_by_feat(logits, data_samples)
            for logits in self.both(feats)
        )
        patches['loss_cls'] = 0.5 * patches['loss_cls']
        return dict(patches, loss_cls_token=0.5 * token['loss_cls'])
