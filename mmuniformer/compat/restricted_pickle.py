"""Reads pickles for a torch that cannot be told which classes to allow.

Before 2.6 ``torch.load(weights_only=True)`` knows tensors and containers only,
and refuses what trainers put beside them: log histories, configs, arguments.
As torch's ``pickle_module`` this one reads tensors in full; of the classes in
``SKIPPED`` it keeps what they hold as a dict, at most, and never runs them.
"""

import pickle
from typing import Any

from torch._weights_only_unpickler import _get_allowed_globals

# Names of modules in pickles of protocol 2, which torch writes.
PYTHON_2 = {'__builtin__': 'builtins', 'copy_reg': 'copyreg'}
SKIPPED = {
    '_codecs.encode',
    'argparse.Namespace',
    'builtins.getattr',
    'mmengine.config.config.ConfigDict',
    'mmengine.logging.history_buffer.HistoryBuffer',
    'numpy.dtype',
    'numpy.ndarray',
    'numpy.core.multiarray._reconstruct',
    'numpy.core.multiarray.scalar',
    'numpy._core.multiarray._reconstruct',
    'numpy._core.multiarray.scalar',
}


class Skipped(dict[Any, Any]):
    """Stands for an object that is not made."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, _: Any) -> None:
        """Does nothing."""


class Unpickler(pickle.Unpickler):
    """Makes tensors, containers and ``Skipped``; refuses the rest."""

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the file stands for."""
        module = PYTHON_2.get(module, module)
        full = f'{module}.{name}'
        if full in SKIPPED:
            return Skipped
        try:
            return _get_allowed_globals()[full]
        except KeyError:
            raise pickle.UnpicklingError(f'Unsupported class {full}') from None


def load(file: Any, **kwargs: Any) -> Any:
    """As ``pickle.load``."""
    return Unpickler(file, **kwargs).load()
