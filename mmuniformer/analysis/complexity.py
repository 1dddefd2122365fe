"""Parameters and FLOPs of a model, fused attention included.

One multiplication with its addition counts as one FLOP, as in the papers of
vision backbones. Convolutions, matrix products and attention products are
counted; norms, activations and other element-wise work, under 1 %, are not.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from ..compat.old_torch import CPU_ATTENTION
from ..errors import UserError
from ..tasks import HOSTS, TASKS


def _cpu_attention(
    query: Any, key: Any, value: Any, *args: Any, **kwargs: Any
) -> int:
    """The operator that PyTorch's own table leaves out."""
    return sdpa_flop_count(query, key, value)


FUSED = dict.fromkeys(CPU_ATTENTION, _cpu_attention)


def count_flops(function: Callable[..., Any], *args: Any) -> int:
    """FLOPs (multiply-adds) of one call, on any device, also on 'meta'."""
    # Not under no_grad: the counter then fails at views of parameters, such
    # as an expanded class token.
    counter = FlopCounterMode(display=False, custom_mapping=FUSED)
    with counter:
        function(*args)
    return counter.get_total_flops() // 2


def count_parameters(model: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def input_channels(model: nn.Module) -> int:
    """Channels of what a network takes: those of its first convolution."""
    kinds = nn.Conv2d, nn.Conv3d
    found = (m.in_channels for m in model.modules() if isinstance(m, kinds))
    return next(found, 3)


def build_on_meta(cfg: dict[str, Any]) -> nn.Module:
    """Builds a model in eval mode whose tensors have shapes but no values."""
    with torch.device('meta'):
        model = MODELS.build(cfg)
    return model.eval().to('meta')


def published_shape(cfg: Config) -> tuple[int, ...]:
    """(H, W), or (T, H, W), at which the authors counted a config's model."""
    if cfg.get('default_scope') == 'mmpretrain':
        steps = cfg.test_dataloader.dataset.pipeline
        sizes = [s.get('crop_size', s.get('scale')) for s in steps]
        size = [side for side in sizes if side][-1]
        return (size, size) if isinstance(size, int) else tuple(size[::-1])
    if cfg.get('default_scope') == 'mmaction':
        steps = cfg.test_dataloader.dataset.pipeline
        frames = next(s.clip_len for s in steps if 'clip_len' in s)
        sizes = [s.get('size', s.get('crop_size')) for s in steps]
        size = [side for side in sizes if side][-1]
        return frames, size, size
    decoder = (cfg.model.get('head') or {}).get('decoder') or {}
    if 'input_size' in decoder:
        width, height = decoder['input_size']
        return height, width
    task = HOSTS.get(cfg.get('default_scope'), TASKS['cls'])
    return task.shape


def detector(model: Any) -> Any:
    """The first part of a model that has a backbone, such as a student.

    Raises:
        UserError: None has one.
    """
    for part in model.modules():
        if hasattr(part, 'backbone'):
            return part
    raise UserError(
        f'model.type={type(model).__name__}: no part of it has a backbone'
    )


def flops_by_part(model: Any, shape: tuple[int, ...]) -> dict[str, int]:
    """FLOPs of each part of a host's model for one input.

    Args:
        model: A model from :func:`build_on_meta`.
        shape: (H, W), or (T, H, W), of the network's input.
    """
    model = detector(model)
    channels = input_channels(model.backbone)
    image = torch.empty(1, channels, *shape, device='meta')
    with torch.no_grad():
        maps = model.backbone(image)
    parts = {'backbone': count_flops(model.backbone, image)}
    if getattr(model, 'with_neck', False):
        parts['neck'] = count_flops(model.neck, maps)
        with torch.no_grad():
            maps = model.neck(maps)
    if hasattr(model, 'decode_head'):  # auxiliary heads are for training
        parts['decode_head'] = count_flops(model.decode_head, maps)
    if getattr(model, 'with_head', False):
        parts['head'] = count_flops(model.head, maps)
    if getattr(model, 'with_cls_head', False):
        parts['cls_head'] = count_flops(model.cls_head, maps)
    if hasattr(model, 'rpn_head'):
        parts['rpn_head'] = count_flops(model.rpn_head, maps)
        parts.update(_roi_flops(model.roi_head))
    return parts


def _roi_flops(roi_head: Any) -> dict[str, int]:
    """Box heads on 1000 proposals, mask heads on the 100 best detections.

    That is how the published figures of detectors were counted.
    """
    parts = {}
    for name, count in (('bbox_head', 1000), ('mask_head', 100)):
        heads = getattr(roi_head, name)
        extractors = getattr(roi_head, name.replace('head', 'roi_extractor'))
        if not isinstance(heads, nn.ModuleList):
            heads, extractors = [heads], [extractors]
        parts[name] = sum(
            count_flops(head, _regions(extractor, count))
            for head, extractor in zip(heads, extractors)
        )
    return parts


def _regions(extractor: Any, count: int) -> Tensor:
    size = extractor.roi_layers[0].output_size
    return torch.empty(count, extractor.out_channels, *size, device='meta')


def check_shape(shape: Sequence[int] | None, ndim: int) -> None:
    """Raises UserError unless a network can take an input of this size."""
    wanted = ('H W', 'T H W')[ndim == 3]
    if shape and len(shape) != ndim:
        raise UserError(f'--shape={shape}: wanted {wanted}')
    if shape and min(shape[-2:]) < 32:
        raise UserError(f'--shape={shape}: wanted 32 or more pixels')
