"""``'mmuniformer::det/...'`` names a config of this package.

mmengine knows the packages that may be written before ``::`` from a list of
OpenMMLab's own, without a way to register another.
"""

from types import ModuleType


def apply(module: ModuleType) -> None:
    """Adds this package to the list of ``mmengine.config.utils``."""
    module.MODULE2PACKAGE.setdefault('mmuniformer', 'mmuniformer')
