"""Mixed precision on a machine without an accelerator (mmpretrain#1556).

mmengine's ``AmpOptimWrapper`` asserts that there is one, so that a recipe with
AMP cannot even be tried on a CPU. There it builds a plain wrapper: in
bfloat16, if the config says so and the processor has instructions for it; else
it trains in full precision, and the log says so.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def apply(module: ModuleType) -> None:
    """Replaces what ``type='AmpOptimWrapper'`` builds on such a machine."""
    import torch
    from mmengine.device import get_device
    from mmengine.logging import print_log
    from mmengine.optim import OptimWrapper
    from mmengine.registry import OPTIM_WRAPPERS

    from ..fast.processor import has_bfloat16

    if get_device() in ('cuda', 'npu', 'mlu', 'musa'):
        return

    class Bfloat16OptimWrapper(OptimWrapper):
        """Its forward passes are under autocast; no loss is scaled."""

        @contextmanager
        def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
            low = torch.autocast('cpu', torch.bfloat16)
            with super().optim_context(model), low:
                yield

    def without_accelerator(
        loss_scale: Any = None,
        dtype: Any = None,
        use_fsdp: bool = False,
        **kwargs: Any,
    ) -> Any:
        low = dtype in ('bfloat16', torch.bfloat16)
        if low and has_bfloat16():
            return Bfloat16OptimWrapper(**kwargs)
        there = '; --amp bf16 is there' if has_bfloat16() else ''
        print_log(
            f'AmpOptimWrapper: dtype={dtype or "float16"} needs an '
            f'accelerator, and this machine has none; training in full '
            f'precision{there}',
            logger='current',
            level=logging.WARNING,
        )
        return OptimWrapper(**kwargs)

    OPTIM_WRAPPERS.register_module(
        name='AmpOptimWrapper', module=without_accelerator, force=True
    )
