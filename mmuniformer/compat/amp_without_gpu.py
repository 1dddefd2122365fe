"""Mixed precision on a machine without an accelerator (mmpretrain#1556).

mmengine's ``AmpOptimWrapper`` asserts that there is one, so that a recipe with
AMP cannot even be tried on a CPU. There it builds the plain wrapper, which
trains in full precision, and the log says so.
"""

import logging
from types import ModuleType
from typing import Any


def apply(optim: ModuleType) -> None:
    """Replaces what ``type='AmpOptimWrapper'`` builds on such a machine."""
    from mmengine.device import get_device
    from mmengine.logging import print_log
    from mmengine.registry import OPTIM_WRAPPERS

    if get_device() in ('cuda', 'npu', 'mlu', 'musa'):
        return

    def full_precision(
        loss_scale: Any = None,
        dtype: Any = None,
        use_fsdp: bool = False,
        **kwargs: Any,
    ) -> Any:
        print_log(
            'AmpOptimWrapper: mixed precision needs an accelerator, and this '
            'machine has none; training in full precision',
            logger='current',
            level=logging.WARNING,
        )
        return optim.OptimWrapper(**kwargs)

    OPTIM_WRAPPERS.register_module(
        name='AmpOptimWrapper', module=full_precision, force=True
    )
