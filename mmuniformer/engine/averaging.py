"""Averaged weights in few kernels, where mmengine runs one for each tensor."""

from typing import Any

import torch
from mmengine.model import ExponentialMovingAverage
from torch import Tensor, nn

from ..registry import MODELS


@MODELS.register_module()
class TogetherEMA(ExponentialMovingAverage):
    """mmengine's average, all tensors at once; the same numbers.

    Args:
        args: Arguments of ``ExponentialMovingAverage``.
        kwargs: The same.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pairs: list[tuple[Tensor, Tensor]] = []

    def avg_func(
        self, averaged_param: Tensor, source_param: Tensor, steps: int
    ) -> None:
        """Notes a tensor and what it is to come nearer to."""
        self._pairs.append((averaged_param, source_param))

    def update_parameters(self, model: nn.Module) -> None:
        """Averages the weights of a model into those of this one."""
        super().update_parameters(model)
        pairs, self._pairs = self._pairs, []
        if pairs:
            averages, sources = map(list, zip(*pairs))
            torch._foreach_lerp_(averages, sources, self.momentum)
