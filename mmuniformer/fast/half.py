"""Inference in half precision."""

from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import UserError
from ..models.uniformer import UniFormer
from .processor import has_bfloat16


def half_dtype(device: str) -> torch.dtype:
    """The half precision of a device: bfloat16 (CPU) or float16.

    Raises:
        UserError: A CPU that has no instructions for it.
    """
    if device.split(':')[0] != 'cpu':
        return torch.float16
    if not has_bfloat16():
        raise UserError(
            'half=True: this CPU does not compute in bfloat16; wanted one '
            'with AVX512-BF16 or AMX, a GPU, or half=False'
        )
    return torch.bfloat16


def to_half(model: nn.Module, dtype: torch.dtype = torch.bfloat16) -> None:
    """Has every UniFormer of a model compute in half precision, in place.

    Convolutions, products and the sums between the blocks do; norms keep
    float32 weights, and compute, as softmax does, in float32. Maps come in
    and go out as they did before, so that what stands behind the backbone
    keeps its precision. For inference; behind ``fuse``, which rounds less if
    it comes first.

    Args:
        model: A UniFormer, or a whole model with one in it, in eval mode.
        dtype: What the weights become.

    Raises:
        UserError: The model is in training mode.
    """
    for backbone in model.modules():
        if not isinstance(backbone, UniFormer):
            continue
        if backbone.training:
            raise UserError(
                'model is in training mode: wanted model.eval(); to train in '
                'half precision, use --amp'
            )
        before = next(backbone.parameters()).dtype
        for module in backbone.modules():
            if not isinstance(module, (nn.LayerNorm, _BatchNorm)):
                for parameter in module.parameters(recurse=False):
                    parameter.data = parameter.data.to(dtype)
        backbone.register_forward_pre_hook(_Cast(dtype).before)
        backbone.register_forward_hook(_Cast(before).after)


class _Cast:
    """Hooks that change the dtype of maps."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def before(self, module: nn.Module, inputs: Any) -> Any:
        return self.cast(inputs)

    def after(self, module: nn.Module, inputs: Any, outputs: Any) -> Any:
        return self.cast(outputs)

    def cast(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self.cast, value))
        return value.to(self.dtype)
