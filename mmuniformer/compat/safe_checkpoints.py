"""mmengine's checkpoints under torch >= 2.6 (mmengine#1655).

torch >= 2.6 loads with ``weights_only=True``, and mmengine 0.10.7 neither
allows nor avoids what it saves itself: log histories, in them numpy arrays
and references to their own methods, numpy scalars in scores, and pieces of
the config in what describes the data. Such files load here, under the names
of numpy 1 and of numpy 2, as narrowly as that goes.

Two names in them must not be allowed as they are. ``getattr``, by which a
method is pickled, would hand a file the interpreter. ``numpy.ndarray`` and
``numpy.dtype`` take object pointers out of a file's bytes. Names are therefore
answered by functions that make numbers and log histories, and nothing else.
"""

from collections.abc import Callable
from pickle import UnpicklingError
from types import ModuleType
from typing import Any

from ._hooks import LOG

_STATISTICS = ('min', 'max', 'current', 'mean')
# Boolean, signed, unsigned, floating point, complex.
_NUMBERS = '?bhilqBHILQefdgFDG'


def apply(checkpoint: ModuleType) -> None:
    """Allows what mmengine saves, where torch asks for permission."""
    import numpy as np
    import torch
    from mmengine.config import ConfigDict
    from mmengine.logging import HistoryBuffer

    if torch.__version__ < '2.6':  # compares as versions do
        return

    def method(owner: type, name: str) -> Callable[..., Any]:
        if owner is HistoryBuffer and name in _STATISTICS:
            return getattr(HistoryBuffer, name)
        raise UnpicklingError(f'asks for the attribute {name!r} of {owner}')

    def dtype(code: str, *flags: bool) -> Any:
        # numpy's own instance, which takes no state from a file.
        if type(code) is str and np.dtype(code).char in _NUMBERS:
            return np.dtype(np.dtype(code).char)
        raise UnpicklingError(f'asks for an array of {code!r}')

    def array(owner: Any, *args: Any) -> Any:
        if owner is array:
            return np.empty(0)  # shape, type and content follow as its state
        raise UnpicklingError('makes an array from parts')

    def no_bytes() -> bytes:
        return b''  # the content of an empty array, such as no skeleton

    def scalar(dtype: Any, content: bytes) -> Any:
        return np.frombuffer(content, dtype, 1)[0]

    allowed: list[Any] = [
        HistoryBuffer,
        ConfigDict,
        (method, 'builtins.getattr'),
        (no_bytes, 'builtins.bytes'),
        (dtype, 'numpy.dtype'),
        (array, 'numpy.ndarray'),
    ]
    for core in ('numpy.core', 'numpy._core'):
        allowed.append((array, f'{core}.multiarray._reconstruct'))
        allowed.append((scalar, f'{core}.multiarray.scalar'))
    # These may take state, but a file has no name for them: it has a dot.
    stateful: list[type] = [np.ndarray]
    stateful += [type(np.dtype(code)) for code in _NUMBERS]
    allowed += [(of, of.__name__) for of in stateful]
    torch.serialization.add_safe_globals(allowed)
    _take_out(checkpoint, [getattr, HistoryBuffer, np.dtype, *stateful])
    LOG.debug('torch.load: log histories and numpy numbers are allowed')


def _take_out(checkpoint: ModuleType, answered: list[Any]) -> None:
    """Takes out of the host's own list what is answered here.

    onedl-mmengine allows ``getattr`` and numpy's functions as they are, while
    it loads. Beside ours they would be called with each other's results.
    """
    own = getattr(checkpoint, 'get_torch_safe_globals', None)
    if own is None:
        return

    def get_torch_safe_globals() -> list[Any]:
        return [
            item
            for item in own()
            if item not in answered and 'multiarray' not in item.__module__
        ]

    checkpoint.get_torch_safe_globals = (  # type: ignore[attr-defined]
        get_torch_safe_globals
    )
