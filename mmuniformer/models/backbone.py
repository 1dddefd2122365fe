"""What OpenMMLab and timm ask of a backbone, apart from its formulas."""

from typing import Any

from mmengine.model import BaseModule
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from .. import options
from ..errors import UserError
from ..weights import load as weights
from .arch import Arch


class Backbone(BaseModule):
    """Weights, freezing, recomputation and layer depths of four stages.

    A subclass builds ``patch_embed1`` to ``patch_embed4``, ``blocks1`` to
    ``blocks4`` and norms, and then calls :meth:`start`.

    Args:
        arch: Size.
        frozen_stages: See :class:`~mmuniformer.models.uniformer.UniFormer`,
            and there for the others.
    """

    # Set by `fuse`: the norms that training needs are gone.
    fused = False

    def __init__(
        self, arch: Arch, frozen_stages: Any, norm_eval: Any, init_cfg: Any
    ) -> None:
        super().__init__(options.init_cfg(init_cfg))
        weights.pretrained_cfg(init_cfg)  # which checks it
        self.arch = arch
        self.frozen_stages = options.integer(
            'frozen_stages', frozen_stages, -1, 4
        )
        self.norm_eval = options.flag('norm_eval', norm_eval)

    def start(self) -> None:
        """Draws the weights of linear layers, then freezes what is to be."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        self.freeze()

    def init_weights(self) -> None:
        """Applies ``init_cfg``; weights are initialised without it, too."""
        weights.initialise(self, self.init_cfg)
        self._is_init = True

    def train(self, mode: bool = True) -> 'Backbone':
        """Sets the mode, but keeps frozen parts in eval mode."""
        if mode and self.fused:
            raise UserError(
                'mode=True: a fused UniFormer cannot be trained; wanted a '
                'model that fuse has not changed'
            )
        super().train(mode)
        frozen = self.frozen_names()
        for name, module in self.named_children():
            if name in frozen:
                module.eval()
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def frozen_names(self) -> list[str]:
        """Modules and parameters that ``frozen_stages`` covers."""
        names = ['patch_embed1'] if self.frozen_stages == 0 else []
        for i in range(1, self.frozen_stages + 1):
            names += [f'patch_embed{i}', f'blocks{i}', f'norm{i}']
        return [*names, 'norm'] if self.frozen_stages == 4 else names

    def freeze(self) -> None:
        """Turns off the gradients of what ``frozen_stages`` covers."""
        frozen = self.frozen_names()
        for name, parameter in self.named_parameters():
            if name.split('.')[0] in frozen:
                parameter.requires_grad_(False)
        self.train()

    def get_layer_depth(
        self, param_name: str, prefix: str = ''
    ) -> tuple[int, int]:
        """Depth of a parameter, see :meth:`.arch.Arch.layer_depth`.

        Args:
            param_name: Name in the whole model.
            prefix: What precedes the backbone's own names, e.g. 'backbone.'.

        Returns:
            The depth and the number of depths.
        """
        own = param_name.startswith(prefix)
        name = param_name.removeprefix(prefix) if own else ''
        return self.arch.layer_depth(name), sum(self.arch.depths) + 2

    def no_weight_decay(self) -> set[str]:
        """Parameters without weight decay, in addition to norms and biases.

        timm's optimisers ask for it.
        """
        return set()

    @property
    def feature_info(self) -> list[dict[str, Any]]:
        """Channels, stride and name of each stage, in the form of timm."""
        return [
            dict(num_chs=dim, reduction=4 * 2**i, module=f'blocks{i + 1}')
            for i, dim in enumerate(self.arch.embed_dims)
        ]

    @property
    def checkpointed(self) -> tuple[int, ...]:
        """Blocks of each stage that the backward pass computes again."""
        return tuple(stage.recomputed for stage in self._stages())

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Turns recomputation on for all blocks, or off; as in timm."""
        for stage in self._stages():
            stage.recomputed = len(stage) if enable else 0

    def _stages(self) -> list[Any]:
        return [getattr(self, f'blocks{i}') for i in range(1, 5)]
