"""Short keys of our configs, see :mod:`mmuniformer.settings.on_load`.

No defect of anyone: mmengine has no place where a package could take part in
reading its own configs before they are read. Configs of others stay as they
are.
"""

from importlib import import_module
from typing import Any


def apply(module: Any) -> None:
    """Has ``mmengine.config`` apply them."""
    import_module('mmuniformer.settings.on_load')
