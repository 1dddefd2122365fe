"""Has mmengine read files in tar files, see :mod:`mmuniformer.shards`.

No defect, but a backend more; it is registered where mmengine has its own, so
that the workers and the tools of all hosts have it. ``is_abs`` of mmengine
knows a few prefixes by name: data sets would join ``tar://`` to their root.
"""

from types import ModuleType
from typing import Any


def apply(module: ModuleType) -> None:
    """Registers the backend by both of mmengine's ways."""
    from ..shards.backend import TarBackend

    if 'tar' not in module.backends.backends:
        module.register_backend('tar', TarBackend, prefixes='tar')
        module.FileClient.register_backend('tar', TarBackend, prefixes='tar')


def apply_to_datasets(module: ModuleType) -> None:
    """Has data sets take such a path as it is."""
    from ..shards.backend import PREFIX

    names: Any = module
    is_abs = names.is_abs
    names.is_abs = lambda path: path.startswith(PREFIX) or is_abs(path)
