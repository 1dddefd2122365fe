"""1x1 convolutions of maps on GPUs in half precision, as matrix products.

cuDNN leaves their bias to a kernel of its own, which takes longer than the
convolution; cuBLAS adds it on the way.

Legend: B batch, C channels in, C' channels out, *S = (H, W) or (T, H, W).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..compat.old_torch import autocast_dtype
from .graphs import is_eager, is_plain, takes_custom_code

HALF = (torch.bfloat16, torch.float16)


def applies(layer: Any, x: Tensor) -> bool:
    """Whether :func:`product` is to compute a layer's call."""
    return (
        x.device.type == 'cuda'
        and isinstance(layer, (nn.Conv2d, nn.Conv3d))
        and set(layer.kernel_size) == {1}
        and layer.bias is not None
        and (autocast_dtype('cuda') or x.dtype) in HALF
        and (takes_custom_code() or is_eager(x))
        and is_plain(layer)
        and x.movedim(1, -1).is_contiguous()
    )


def product(layer: Any, x: Tensor) -> Tensor:
    """(B, C, *S) -> (B, C', *S)."""
    weight = layer.weight.flatten(1)
    return F.linear(x.movedim(1, -1), weight, layer.bias).movedim(-1, 1)
