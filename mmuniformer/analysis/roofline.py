"""What a machine can do at most, and what a model asks of it."""

import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ..fast import products
from .complexity import count_flops, input_channels

# Side of the matrices and bytes of the copy, by kind of device.
MATRIX = {'cpu': 2048, 'cuda': 8192}
COPY = {'cpu': 1 << 27, 'cuda': 1 << 30}
COUNTED = ('convolution', 'mm', 'addmm', 'bmm', 'baddbmm')


class Peaks:
    """Best matrix product and best copy seen so far.

    Attributes:
        flops: Of a product of two square matrices, in multiplications and
            additions per second, by the best library.
        by: That library: 'blas' or 'onednn' on a CPU.
        bytes: Read and written by a copy, per second.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        side, size = MATRIX[device.type], COPY[device.type] // dtype.itemsize
        self.device = device
        self.matrix = torch.randn(side, side, device=device).to(dtype)
        self.out = torch.empty_like(self.matrix)
        self.vector = torch.ones(size, device=device, dtype=dtype)
        self.target = torch.zeros_like(self.vector)
        self.flops = self.bytes = 0.0
        self.by = ''
        self.products = {'blas': self._product}
        onednn = device.type == 'cpu' and dtype in products.DTYPES
        if onednn and products.has_onednn():
            packed = products.pack(self.matrix)
            zeros = torch.zeros(side, dtype=dtype)
            self.products['onednn'] = lambda: products.by_packed(
                self.matrix, packed, zeros
            )

    def _product(self) -> Tensor:
        return torch.mm(self.matrix, self.matrix, out=self.out)

    def measure(self, times: int = 2) -> None:
        """Tries both some times more."""
        for _ in range(times):
            for name, product in self.products.items():
                flops = 2 * len(self.matrix) ** 3 / self._time(product)
                if flops > self.flops:
                    self.flops, self.by = flops, name
            spent = self._time(lambda: self.target.copy_(self.vector))
            self.bytes = max(self.bytes, 2 * self.vector.nbytes / spent)

    def shares(
        self,
        needs: tuple[int, int],
        batch: int,
        itemsize: int,
        seconds: float,
        training: bool,
    ) -> tuple[float, float]:
        """Work of a step per second, in parts of both peaks.

        Args:
            needs: FLOPs of a sample and elements of a batch, see
                :func:`work`.
            batch: Samples of a step.
            itemsize: Bytes of an element.
            seconds: Of a step.
            training: A training step counts as three forward passes.
        """
        flops, elements = needs
        passes = 3 if training else 1
        done = 2 * flops * batch * passes / seconds
        moved = elements * itemsize * passes / seconds
        return done / self.flops, moved / self.bytes

    def _time(self, function: Callable[[], Any]) -> float:
        synchronize(self.device)
        start = time.perf_counter()
        function()
        synchronize(self.device)
        return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Waits for a GPU."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


class _Traffic(TorchDispatchMode):
    """Counts the elements that convolutions and products read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.__name__.split('.')[0].strip('_')
        if name in COUNTED:
            outs = out if isinstance(out, (tuple, list)) else [out]
            self.elements += sum(
                t.numel()
                for t in (*args, outs[0])
                if isinstance(t, Tensor) and t.is_floating_point()
            )
        return out


class _FusedAttention(TorchFunctionMode):
    """Counts fused attention by its inputs and its output alone.

    On the meta device it would be taken to pieces, its matrix stored.
    """

    def __init__(self, traffic: _Traffic) -> None:
        super().__init__()
        self.traffic = traffic

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = args[:3]
        out = query.new_empty((*query.shape[:-1], value.shape[-1]))
        used = (query, key, value, out)
        self.traffic.elements += sum(t.numel() for t in used)
        return out


def work(
    model: nn.Module, shape: tuple[int, ...], batch: int
) -> tuple[int, int]:
    """What one forward pass asks for, at the least.

    Args:
        model: In eval mode, on the CPU.
        shape: (H, W) or (T, H, W).
        batch: Images or clips.

    Returns:
        FLOPs (multiply-adds) of a sample; elements that convolutions, matrix
        products and attentions read and write per batch if each reads its
        inputs and weights once, writes its output once, and all the rest is
        done on the way. Keys times queries of fused attention are not stored.
    """
    try:
        model = model.to('meta')
        x = torch.empty(batch, input_channels(model), *shape, device='meta')
        flops = count_flops(model, x) // batch
        with _Traffic() as traffic, _FusedAttention(traffic):
            model(x)
    except (RuntimeError, NotImplementedError, ValueError):
        return 0, 0  # the model reads values; its work remains unknown
    return flops, traffic.elements
