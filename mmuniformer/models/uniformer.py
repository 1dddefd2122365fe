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

from torch import Tensor, nn

from .. import options
from ..registry import MODELS
from .arch import ARCHS, Arch, resolve_arch
from .backbone import Backbone
from .blocks import AttnBlock, ConvBlock, Stage
from .layers import LAYERS, MapLayerNorm, build_stem, drop_path_rates
from .tokens import to_channels_last


def warn_of_small_map(x: Tensor, window: int) -> None:
    """Warns of a map (B, C, H, W) that is padded up to one window."""
    # Sizes of exported graphs are symbols: comparing would fix them.
    sizes = tuple(size for size in x.shape[2:] if isinstance(size, int))
    if any(size < window for size in sizes):
        warnings.warn(
            f'window_size={window}: the map of stage 3 is only {sizes}; the '
            f'padding takes part in the attention and changes the result; '
            f"wanted attention='global' or a larger input",
            stacklevel=3,
        )


@MODELS.register_module()
class UniFormer(Backbone):
    """UniFormer: convolution blocks, then attention blocks.

    Stages have strides 4, 8, 16 and 32 (video: the frame rate is halved
    once). Sizes that the strides do not divide are rounded down by 'patch'
    stems and up by 'conv' stems, as in the official code.

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
        out_indices: Stages to return, counted from 0; -1 is the last. A
            tuple of maps is returned, as the heads of image hosts expect;
            for video and an int it is the map itself, as mmaction2's do.
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
    attn_block: Any = AttnBlock

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
        size = resolve_arch(arch, self.archs, head_dim)
        super().__init__(size, frozen_stages, norm_eval, init_cfg)
        self.ndim = options.integer('ndim', ndim, 2, 3)
        self.attention = options.attention(attention, ndim)
        self.window_size = options.integer('window_size', window_size, 1)
        self.dense = options.flag('dense', dense)
        self.returns_tensor = ndim == 3 and not options.is_sequence(
            out_indices
        )
        self.out_indices = options.stages(out_indices)
        rate = options.drop_path_rate(drop_path_rate)
        recomputed = options.recomputed(with_cp, size.depths)
        options.layer_scale(layer_scale_init_value)

        self.build_embeddings(options.integer('in_channels', in_channels, 1))
        rates = iter(drop_path_rates(rate, sum(size.depths)))
        for i, depth in enumerate(size.depths):
            scale = size.first_scale(i, layer_scale_init_value)
            blocks = (
                self.build_block(i, j, next(rates), scale)
                for j in range(depth)
            )
            stage = Stage(*blocks)
            stage.recomputed = recomputed[i]
            self.add_module(f'blocks{i + 1}', stage)
            if self.dense and i in self.out_indices:
                norm = MapLayerNorm(size.embed_dims[i], eps=1e-6)
                self.add_module(f'norm{i + 1}', norm)
        if not self.dense and 3 in self.out_indices:
            self.norm = LAYERS[ndim].norm(size.embed_dims[-1])
        self.start()

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
        arch, dim = self.arch, self.arch.embed_dims[stage]
        common = arch.mlp_ratio, drop_path_rate, scale
        if stage < 2:
            return ConvBlock(dim, self.ndim, *common)
        heads, own = dim // arch.head_dim, self.attn_argument(stage, index)
        return self.attn_block(dim, self.ndim, heads, *common, own)

    def attn_argument(self, stage: int, index: int) -> float:
        """What differs between attention blocks: the size of windows."""
        windowed = stage == 2 and (
            self.attention == 'window'
            or (self.attention == 'hybrid' and (index + 1) % 4 != 0)
        )
        return self.window_size if windowed else 0

    def forward(self, x: Tensor) -> Any:
        """(B, C_in, *S) -> maps (B, C, *S / stride) of ``out_indices``."""
        x = to_channels_last(options.of_rank(x, self.ndim))
        outs = []
        for i in range(4):
            x = getattr(self, f'patch_embed{i + 1}')(x)
            if i == 2 and self.attention != 'global':
                warn_of_small_map(x, self.window_size)
            x = getattr(self, f'blocks{i + 1}')(x)
            if i in self.out_indices:
                outs.append(self.emit(i, x))
        return outs[0] if self.returns_tensor else tuple(outs)

    def emit(self, stage: int, x: Tensor) -> Tensor:
        """The map to return for a stage; the running map is unchanged."""
        if self.dense:
            return getattr(self, f'norm{stage + 1}')(x)
        return self.norm(x) if stage == 3 else x
