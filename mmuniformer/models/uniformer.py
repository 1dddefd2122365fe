"""UniFormer, the backbone, for images and for video.

Legend: B batch, C channels, *S = (H, W) or (T, H, W).
Paper: UniFormer: Unifying Convolution and Self-attention for Visual
Recognition, arXiv 2201.09450. Official files: ``uniformer.py`` of
``image_classification``, ``object_detection``, ``semantic_segmentation``,
``pose_estimation`` and ``video_classification``; one class here.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule, initialize
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from ..errors import UserError
from ..fast.inference import eager_inference
from ..registry import MODELS
from ..weights.pretrained import load_pretrained, pretrained_cfg
from .arch import ARCHS, Arch, resolve_arch
from .blocks import AttnBlock, ConvBlock
from .layers import LAYERS, MapLayerNorm, build_stem
from .tokens import to_channels_last

ATTENTION = ('global', 'window', 'hybrid')
# Pixels of the input that stages 1 and 2 take at a time, see `conv_stages`.
PIXELS_AT_A_TIME = 4 * 224 * 224


@MODELS.register_module()
class UniFormer(BaseModule):
    """UniFormer: convolution blocks, then attention blocks.

    Stages have strides 4, 8, 16 and 32 (video: the frame rate is halved
    once). Sizes that the strides do not divide are floored, as in the
    official code.

    Args:
        arch: Size: a key of ``ARCHS`` or a dict of :class:`Arch` values.
        ndim: 2 for images (B, C, H, W), 3 for video (B, C, T, H, W).
        in_channels: Channels of the input.
        drop_path_rate: Stochastic depth of the last block; grows linearly
            from 0 over all blocks of all stages.
        attention: Attention of stage 3: 'global'; 'window', all blocks in
            windows; 'hybrid', every fourth block global and the others in
            windows. Stage 4 is always global. Images only.
        window_size: Side of a window, in tokens. Pre-trained models want at
            least 14.
        dense: Normalise each returned map by a LayerNorm of its own
            (``norm1`` to ``norm4``: detection, segmentation, pose) in place
            of the BatchNorm ``norm`` after stage 4 (recognition).
        out_indices: Stages to return, counted from 0. An int returns a
            tensor, a sequence returns a tuple.
        frozen_stages: -1 trains everything; 0 freezes the first embedding,
            k >= 1 the first k stages with their embeddings and norms.
        norm_eval: Keep BatchNorm layers in eval mode while training.
        with_cp: Recompute activations in the backward pass to save memory:
            a bool for all blocks, or the number of leading blocks per stage
            (``checkpoint_num`` of the official code).
        head_dim: Channels per attention head, in place of the size's own.
        layer_scale_init_value: First value of the layer scales. None: 1e-6
            in those stages that have them by the size. A size without any
            gets them in all stages when a value is given.
        init_cfg: ``dict(type='Pretrained', checkpoint=path_or_url)`` loads
            a published file, whatever its wrapper; see
            :mod:`mmuniformer.weights.files`.

    Raises:
        UserError: An argument is unknown or out of range.
    """

    archs: dict[str, Arch] = ARCHS

    def __init__(
        self,
        arch: str | dict[str, Any] = 's',
        ndim: int = 2,
        in_channels: int = 3,
        drop_path_rate: float = 0.0,
        attention: str = 'global',
        window_size: int = 14,
        dense: bool = False,
        out_indices: int | Sequence[int] = 3,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        with_cp: bool | Sequence[int] = False,
        head_dim: int | None = None,
        layer_scale_init_value: float | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.fused = False  # see fusion.fuse
        self.arch = resolve_arch(arch, self.archs, head_dim)
        _check_choice('ndim', ndim, tuple(LAYERS))
        _check_choice('attention', attention, ATTENTION)
        _check_choice('frozen_stages', frozen_stages, range(-1, 5))
        if attention != 'global' and ndim != 2:
            raise UserError(
                f"attention={attention!r}: wanted 'global' with ndim={ndim}"
            )
        if not isinstance(window_size, int) or window_size < 1:
            raise UserError(
                f'window_size={window_size!r}: wanted a positive int'
            )
        if not 0 <= drop_path_rate < 1:
            raise UserError(
                f'drop_path_rate={drop_path_rate!r}: wanted 0 <= rate < 1'
            )
        self.ndim = ndim
        self.attention = attention
        self.window_size = window_size
        self.dense = dense
        self.returns_tensor = isinstance(out_indices, int)
        self.out_indices = _stage_indices(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.checkpointed = _checkpointed(with_cp, self.arch.depths)

        dims = self.arch.embed_dims
        self.build_embeddings(in_channels)
        # In float32 as in the official code; of use on the meta device, too.
        rates = torch.linspace(
            0, drop_path_rate, sum(self.arch.depths), device='cpu'
        ).tolist()
        for i in range(4):
            scale = self._layer_scale(i, layer_scale_init_value)
            blocks = [
                self.build_block(i, j, rates.pop(0), scale)
                for j in range(self.arch.depths[i])
            ]
            self.add_module(f'blocks{i + 1}', nn.Sequential(*blocks))
            if dense and i in self.out_indices:
                norm = MapLayerNorm(dims[i], eps=1e-6)
                self.add_module(f'norm{i + 1}', norm)
        if not dense and 3 in self.out_indices:
            self.norm = LAYERS[ndim].norm(dims[-1])
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        self._freeze()

    def build_embeddings(self, in_channels: int) -> None:
        """Builds what leads into the stages."""
        dims = (in_channels, *self.arch.embed_dims)
        for i, stem in enumerate(self.arch.stems):
            embed = build_stem(self.ndim, i, stem, dims[i], dims[i + 1])
            self.add_module(f'patch_embed{i + 1}', embed)

    def build_block(
        self, stage: int, index: int, drop_path_rate: float, scale: float
    ) -> nn.Module:
        """Builds block ``index`` of ``stage``, both counted from 0."""
        arch, ndim = self.arch, self.ndim
        dim = arch.embed_dims[stage]
        if stage < 2:
            return ConvBlock(dim, ndim, arch.mlp_ratio, drop_path_rate, scale)
        windowed = stage == 2 and (
            self.attention == 'window'
            or (self.attention == 'hybrid' and (index + 1) % 4 != 0)
        )
        return AttnBlock(
            dim,
            ndim,
            dim // arch.head_dim,
            arch.mlp_ratio,
            drop_path_rate,
            scale,
            window_size=self.window_size if windowed else 0,
        )

    def _layer_scale(self, stage: int, value: float | None) -> float:
        scaled = self.arch.layer_scale
        if value is None:
            return 1e-6 if scaled[stage] else 0.0
        return value if scaled[stage] or not any(scaled) else 0.0

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(B, C_in, *S) -> maps (B, C, *S / stride) of ``out_indices``."""
        x, outs = self.conv_stages(to_channels_last(x))
        for i in (2, 3):
            x = getattr(self, f'patch_embed{i + 1}')(x)
            if i == 2 and self.attention != 'global':
                self._check_window(x)
            x = self.run_stage(i, x)
            if i in self.out_indices:
                outs.append(self.emit(i, x))
        return outs[0] if self.returns_tensor else tuple(outs)

    def conv_stages(self, x: Tensor) -> tuple[Tensor, list[Any]]:
        """Map of stage 2 and outputs of stages 1 and 2, from the input.

        Eager inference on a CPU takes a few samples at a time, so that the
        large first maps stay in the cache.
        """
        size = len(x)
        if x.device.type == 'cpu' and eager_inference(self.blocks1):
            size = max(1, PIXELS_AT_A_TIME // x[0, 0].numel())
        parts = [self._conv_stages(part) for part in x.split(size)]
        if len(parts) == 1:
            return parts[0]
        maps, outs = zip(*parts)
        return torch.cat(maps), [torch.cat(out) for out in zip(*outs)]

    def _conv_stages(self, x: Tensor) -> tuple[Tensor, list[Any]]:
        outs = []
        for i in (0, 1):
            x = getattr(self, f'patch_embed{i + 1}')(x)
            x = self.run_stage(i, x)
            if i in self.out_indices:
                outs.append(self.emit(i, x))
        return x, outs

    def _check_window(self, x: Tensor) -> None:
        """Warns of maps that are smaller than a window; they are padded."""
        if min(x.shape[2:]) < self.window_size:
            warnings.warn(
                f'window_size={self.window_size}: the map of stage 3 is only '
                f'{tuple(x.shape[2:])}; the padding takes part in the '
                f"attention and changes the result; wanted attention='global' "
                f'or a larger input',
                stacklevel=2,
            )

    def run_stage(self, stage: int, x: Any) -> Any:
        """Blocks of a stage, (B, C, *S) -> (B, C, *S)."""
        blocks = getattr(self, f'blocks{stage + 1}')
        recomputed = self.checkpointed[stage] if self.training else 0
        for block in blocks[:recomputed]:
            x = checkpoint(block, x, use_reentrant=False)
        return blocks[recomputed:](x)

    def emit(self, stage: int, x: Tensor) -> Tensor:
        """The map to return for a stage; the running map is unchanged."""
        if self.dense:
            return getattr(self, f'norm{stage + 1}')(x)
        return self.norm(x) if stage == 3 else x

    def init_weights(self) -> None:
        """Applies ``init_cfg``; weights are initialised without it, too."""
        source, others = pretrained_cfg(self.init_cfg)
        if others:
            initialize(self, others)
        if source:
            load_pretrained(self, **source)
        self._is_init = True

    def train(self, mode: bool = True) -> 'UniFormer':
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

    def _freeze(self) -> None:
        frozen = self.frozen_names()
        for name, parameter in self.named_parameters():
            if name.split('.')[0] in frozen:
                parameter.requires_grad_(False)
        self.train()

    def get_layer_depth(
        self, param_name: str, prefix: str = ''
    ) -> tuple[int, int]:
        """Depth of a parameter, for layer-wise learning-rate decay.

        Embedding 1 has depth 0 and the blocks count on from 1; embeddings 2
        to 4 share the depth of the block behind them; norms after the last
        block, heads and everything unknown have the greatest depth.

        Args:
            param_name: Name in the whole model.
            prefix: What precedes the backbone's own names, e.g. 'backbone.'.

        Returns:
            The depth and the number of depths.
        """
        depths = self.arch.depths
        last = sum(depths) + 1
        parts = param_name.removeprefix(prefix).split('.')
        kind, stage = parts[0][:-1], parts[0][-1]
        if not param_name.startswith(prefix) or stage not in '1234':
            depth = last
        elif kind == 'patch_embed':
            depth = sum(depths[: int(stage) - 1]) + (stage != '1')
        elif kind == 'blocks':
            depth = sum(depths[: int(stage) - 1]) + int(parts[1]) + 1
        elif kind == 'norm':
            depth = sum(depths[: int(stage)]) + (stage == '4')
        else:
            depth = last
        return depth, last + 1


def _check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    if value not in choices:
        raise UserError(
            f'{name}={value!r}: wanted one of {", ".join(map(str, choices))}'
        )


def _stage_indices(out_indices: int | Sequence[int]) -> tuple[int, ...]:
    indices = (
        (out_indices,) if isinstance(out_indices, int) else tuple(out_indices)
    )
    wanted = sorted({i % 4 for i in indices if -4 <= i < 4})
    if not indices or [i % 4 for i in indices] != wanted:
        raise UserError(
            f'out_indices={out_indices!r}: wanted ascending stages, 0 to 3'
        )
    return tuple(wanted)


def _checkpointed(
    with_cp: bool | Sequence[int], depths: Sequence[int]
) -> tuple[int, ...]:
    if isinstance(with_cp, bool):
        return tuple(depths) if with_cp else (0,) * 4
    counts = tuple(with_cp)
    if len(counts) != 4 or any(
        not 0 <= n <= depth for n, depth in zip(counts, depths)
    ):
        raise UserError(
            f'with_cp={with_cp!r}: wanted a bool or the number of blocks per '
            f'stage, at most {tuple(depths)}'
        )
    return counts
