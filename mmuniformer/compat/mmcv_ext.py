"""``mmcv._ext``, absent from mmcv-lite, served by torchvision's operators.

mmcv 2.1.0 has wheels with compiled operators for torch <= 2.1 only, and its
sources do not compile everywhere (mmcv#3310). mmcv-lite is the same package
without them: ``mmcv.ops`` does not import, and with it no model of mmdet.
Detection needs ``nms`` and ``roi_align``, which torchvision has too, on CPU
and GPU. All other operators are present by name, as mmcv wants at import, and
raise when they are called.
"""

import struct
from collections.abc import Callable
from typing import Any

import torch
import torchvision  # noqa: F401, defines torch.ops.torchvision
from torch import Tensor


def nms(
    boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int
) -> Tensor:
    """Returns the indices of the boxes to keep, best score first.

    Args:
        boxes: ``(N, 4)``, x1, y1, x2, y2.
        scores: ``(N,)``.
        iou_threshold: A box is dropped if it overlaps a better one by more.
        offset: 0, or 1 where boxes include their last pixel.
    """
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    # Equal scores in the order of mmcv's own sort; torchvision then keeps it.
    scores, order = scores.sort(descending=True)
    keep = torch.ops.torchvision.nms(
        boxes[order], scores, _single(iou_threshold)
    )
    return order[keep]


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Writes the pooled features ``(N, C, H, W)`` into ``output``."""
    _check(rois, pool_mode, aligned)
    pooled = torch.ops.torchvision.roi_align(
        _wide(input),
        _wide(rois),
        _single(spatial_scale),
        aligned_height,
        aligned_width,
        sampling_ratio,
        aligned,
    )
    output.copy_(pooled)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Adds the gradient of the features ``(B, C, H, W)`` to ``grad_input``.

    Where it must be the same each time, the CPU computes it: the kernel of
    torchvision for GPUs adds in any order, and refuses.
    """
    _check(rois, pool_mode, aligned)
    grad_output, rois = _wide(grad_output), _wide(rois)
    if _wants_order(grad_output):
        grad_output, rois = grad_output.cpu(), rois.cpu()
    grad = torch.ops.torchvision._roi_align_backward(
        grad_output,
        rois,
        _single(spatial_scale),
        aligned_height,
        aligned_width,
        *grad_input.shape,
        sampling_ratio,
        aligned,
    )
    grad_input.add_(grad.to(grad_input.device))


def get_compiler_version() -> str:
    """Answers mmcv's report of the environment."""
    return 'none: torchvision operators through mmuniformer.compat'


get_compiling_cuda_version = get_compiler_version


def __getattr__(name: str) -> Callable[..., Any]:
    """Makes an operator that raises when it is called."""
    if name.startswith('__'):
        raise AttributeError(name)

    def absent(*args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f'operator {name!r} needs a compiled mmcv, and mmcv-lite is '
            'installed: make setup MMCV=native'
        )

    return absent


def _single(number: float) -> float:
    """Rounds as mmcv does, whose operators take 32-bit numbers."""
    return struct.unpack('f', struct.pack('f', number))[0]


def _wide(x: Tensor) -> Tensor:
    """Half precision is computed in single: torchvision has no bfloat16."""
    return x.float() if x.element_size() < 4 else x


def _wants_order(x: Tensor) -> bool:
    """Whether sums must not depend on the order of a GPU's threads."""
    return (
        not x.is_cpu
        and torch.are_deterministic_algorithms_enabled()
        and not torch.is_deterministic_algorithms_warn_only_enabled()
    )


def _check(rois: Tensor, pool_mode: int, aligned: bool) -> None:
    if pool_mode == 0:
        __getattr__('roi_align with pool_mode="max"')()
    # As mmcv does. Not on a GPU, where mmcv does not either and it would wait.
    if aligned and rois.is_cpu:
        sizes = rois[:, 3:] - rois[:, 1:3]
        if not (sizes >= 0).all():
            raise ValueError('rois: x2 < x1, y2 < y1 or not a number')
