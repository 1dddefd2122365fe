"""Data preprocessors of mmdet and mmpose take one channel or three.

``ImgDataPreprocessor`` of mmengine refuses as many values of ``mean`` and
``std`` as pictures of four channels have (mmdetection#5671, #11257), though
all that it does with them holds for any number.
"""

import functools
from collections.abc import Sequence
from types import ModuleType
from typing import Any


def apply(module: ModuleType) -> None:
    """Lets the preprocessor be built with any number of channels."""
    kind = module.ImgDataPreprocessor
    init = kind.__init__

    @functools.wraps(init)
    def init_any(
        self: Any,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if (
            mean is None
            or std is None
            or len(mean) in (1, 3)
            or len(std) not in (1, len(mean))
        ):
            init(self, mean, std, *args, **kwargs)
            return
        init(self, None, None, *args, **kwargs)
        self._enable_normalize = True
        for name, values in (('mean', mean), ('std', std)):
            own = module.torch.tensor(values).view(-1, 1, 1)
            self.register_buffer(name, own, persistent=False)

    kind.__init__ = init_any
